from pathlib import Path

import trio
import trio.testing

from monitoring import limits, metrics, runtime
from tests.unit.monitoring.conftest import Value

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


async def test_the_probe_lets_no_observations_pile_up(autojump_clock: trio.testing.MockClock) -> None:
    histogram = metrics.HTTP_REQUEST_DURATION_SECONDS.labels("GET", "/observed")
    before, waiting = histogram.count, histogram.observe.__self__  # type: ignore[attr-defined] # the list whose method it is
    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.LoopProbe().run)
        for _ in range(3):
            histogram.observe(0.1)
        seen = len(waiting)
        await trio.sleep(0.15)
        settled = len(waiting)
        nursery.cancel_scope.cancel()

    assert (seen, settled, histogram.count) == (3, 0, before + 3)
    assert autojump_clock.autojump_threshold == 0


async def test_the_probe_measures_lag_and_tasks(autojump_clock: trio.testing.MockClock, value: Value) -> None:
    before = value("event_loop_lag_seconds_count")
    async with trio.open_nursery() as nursery:
        await nursery.start(runtime.LoopProbe().run)
        await trio.sleep(0.55)
        nursery.cancel_scope.cancel()

    assert value("event_loop_lag_seconds_count") == before + 5
    assert value("event_loop_tasks") > 1
    assert autojump_clock.autojump_threshold == 0
