from pathlib import Path

import pytest
import trio
import trio.testing

from monitoring import limits, metrics, runtime, slow_steps
from monitoring.slow_steps import SlowSteps
from tests.unit.monitoring.conftest import Lines, Value

CGROUP = "proc/self/cgroup"


def _write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_tightest_cgroup_around_us_decides(tmp_path: Path) -> None:
    root = _write(
        tmp_path,
        {
            CGROUP: "0::/outer/inner\n",
            "sys/fs/cgroup/outer/cpu.max": "25000 100000\n",
            "sys/fs/cgroup/outer/inner/cpu.max": "max 100000\n",
            "sys/fs/cgroup/outer/memory.max": "268435456\n",
            "sys/fs/cgroup/outer/inner/memory.max": "max\n",
            "proc/meminfo": "MemTotal:  1048576 kB\n",
        },
    )

    assert limits.cpu_cores(root) == 0.25
    assert limits.memory_bytes(root) == 268435456


def test_the_first_version_of_cgroups_is_read_too(tmp_path: Path) -> None:
    root = _write(
        tmp_path,
        {
            CGROUP: "4:memory:/box\n3:cpu,cpuacct:/box\n",
            "sys/fs/cgroup/cpu/box/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/box/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/memory/box/memory.limit_in_bytes": "134217728\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )

    assert limits.cpu_cores(root) == 0.5
    assert limits.memory_bytes(root) == 134217728


def test_without_limits_it_is_the_machine_and_one_thread_with_the_gil(tmp_path: Path) -> None:
    root = _write(tmp_path, {"proc/meminfo": "MemFree: 1 kB\nMemTotal:  1048576 kB\n"})

    assert limits.cpu_cores(root) == 1.0
    assert limits.memory_bytes(root) == 1024**3


def test_without_any_files_the_system_is_asked(tmp_path: Path) -> None:
    assert limits.memory_bytes(tmp_path) > 0


def test_the_build_and_the_machine_are_on_the_page(tmp_path: Path, value: Value) -> None:
    runtime.describe("1.2.3", "c0ffee", [tmp_path])

    page = metrics.render()[0].decode()
    assert 'revision="c0ffee"' in page
    assert value("process_cpu_limit_cores") > 0
    assert value("process_memory_limit_bytes") > 0
    mountpoint = {"mountpoint": str(tmp_path)}
    size = value("process_filesystem_size_bytes", **mountpoint)
    assert 0 < value("process_filesystem_avail_bytes", **mountpoint) <= size


def test_a_folder_that_is_gone_does_not_take_the_page_with_it(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    runtime.describe("1.2.3", filesystems=[gone])

    assert f'process_filesystem_size_bytes{{mountpoint="{gone}"}} NaN' in metrics.render()[0].decode()


async def test_the_probe_measures_lag_and_tasks(autojump_clock: trio.testing.MockClock, value: Value) -> None:
    before = value("event_loop_lag_seconds_count")
    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.LoopProbe().run)
        await trio.sleep(0.55)
        nursery.cancel_scope.cancel()

    assert value("event_loop_lag_seconds_count") == before + 5
    assert value("event_loop_tasks") > 1
    assert autojump_clock.autojump_threshold == 0


async def test_the_probe_watches_steps_when_asked_to_and_stops_watching(value: Value, lines: Lines) -> None:
    before = value("event_loop_slow_steps_total")

    async def hold(seconds: float) -> None:
        until = trio.current_time() + seconds
        while trio.current_time() < until:
            pass
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.LoopProbe(watch_slow_steps=True).run)
        await hold(slow_steps.SLOW_STEP_SECONDS * 1.2)
        nursery.cancel_scope.cancel()
    watched = value("event_loop_slow_steps_total")
    await hold(slow_steps.SLOW_STEP_SECONDS * 1.2)

    assert before < watched == value("event_loop_slow_steps_total")
    assert lines()[0]["event"] == "runtime.step.slow"


async def test_a_slow_step_is_told_with_task_and_stack_and_not_more_than_once_a_second(lines: Lines) -> None:
    ticks = iter([0.0, 0.01, 1.0, 1.2, 2.0, 2.1, 3.0, 3.3])
    instrument = SlowSteps(clock=lambda: next(ticks))
    task = trio.lowlevel.current_task()

    for _ in range(4):
        instrument.before_task_step(task)
        instrument.after_task_step(task)
    await trio.lowlevel.checkpoint()

    first, second = lines()
    assert (first["duration"], first["unreported"]) == (pytest.approx(0.2), 0)
    assert (second["duration"], second["unreported"]) == (pytest.approx(0.3), 1)
    assert "test_a_slow_step_is_told" in first["task"]
    assert 'File "' in first["stack"]


async def test_the_stack_goes_down_to_where_the_task_waits(nursery: trio.Nursery) -> None:
    event = trio.Event()

    async def inner() -> None:
        await event.wait()

    async def outer() -> None:
        await inner()

    nursery.start_soon(outer)
    await trio.testing.wait_all_tasks_blocked()
    (task,) = nursery.child_tasks

    stack = slow_steps.stack(task)

    assert stack.index("await inner()") < stack.index("await event.wait()")
    event.set()
