"""Where a trio task waits, and everything below it. May be called from another thread: then it is a best guess."""

import traceback

import trio


def task_stack(task: trio.lowlevel.Task) -> str:
    """Return the stacks of the task and of the tasks in its nurseries, outermost call first."""
    lines = traceback.StackSummary.extract(task.iter_await_frames()).format()
    below = [task_stack(child) for nursery in task.child_nurseries for child in nursery.child_tasks]
    return "\n".join([f"task {task.name}:\n{''.join(lines)}", *below])
