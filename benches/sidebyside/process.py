"""Child processes and what the kernel knows about them: CPU time, memory, system calls.

A process that is started through a `Yard` is ended by its pid when the yard closes, error or not.
Knows no proxy and no benchmark.
"""
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

# Below the ports that the kernel hands to clients, with the cluster bus at +10000 below them too.
PORTS = range(15000, 22000)
START_SECONDS = 15
STOP_SECONDS = 5


class StartError(Exception):
    """A process that did not come up, and why."""


class Process:
    """A running child process."""

    def __init__(self, argv, folder, log):
        self.argv, self.log = argv, pathlib.Path(log)
        with open(log, "ab") as out:
            self.child = subprocess.Popen([str(word) for word in argv], cwd=folder, stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT)
        self.pid = self.child.pid

    def stop(self):
        """Asks it to end, then makes it."""
        if self.alive():
            self.child.terminate()
        try:
            self.child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def alive(self):
        """Whether it still runs."""
        return self.child.poll() is None

    def wait_for(self, condition, what):
        """Waits until `condition()` holds; a dead process or a passed deadline is an error with its log."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise StartError(f"exited with {self.child.returncode}: {self.last_words()}")
            try:
                if condition():
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise StartError(f"not {what} after {START_SECONDS} s: {self.last_words()}")

    def last_words(self):
        """The last line it printed."""
        lines = self.log.read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "no output")

    def cpu(self):
        """Seconds of CPU of all its threads, ended ones included (its own CPU clock, nanoseconds)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def move_to(self, core):
        """Has it use this core only."""
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            os.sched_setaffinity(int(thread), {core})

    def memory(self, field):
        """`VmRSS` or `VmHWM` in bytes."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) * 1024

    def reset_peak(self):
        """Lets `VmHWM` start anew from here."""
        try:
            pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")
        except OSError:
            pass  # Then the peak is that of its whole life, which is no smaller.


class Yard:
    """Everything that one run started; closing it ends all, last one first."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.processes = []
        signal.signal(signal.SIGTERM, _interrupt)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # Impatience must not leave processes behind.
        for process in reversed(self.processes):
            process.stop()

    def start(self, name, argv):
        """Starts a process whose output goes to `name.log`."""
        process = Process(argv, self.folder, self.folder / f"{name}.log")
        self.processes.append(process)
        return process

    def end(self, process):
        """Ends one of them early."""
        process.stop()
        self.processes.remove(process)

    def write(self, name, text):
        """Writes a configuration file; its path."""
        path = self.folder / name
        path.write_text(text)
        return path


def _interrupt(*_):
    """SIGTERM ends a run as Ctrl-C does: through every `finally`."""
    raise KeyboardInterrupt


def free_ports(count, taken=set()):
    """`count` ports that nobody listens on, nor on the cluster bus port that belongs to each."""
    found = []
    for port in PORTS:
        if len(found) == count:
            break
        if port not in taken and _is_free(port) and _is_free(port + 10000):
            found.append(port)
    taken.update(found)
    return found


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def count_syscalls(process, work, folder):
    """Runs `work()` while strace counts the calls of `process`: {call: count}, or None without strace."""
    table = pathlib.Path(folder) / "strace.txt"
    try:
        tracer = subprocess.Popen(["strace", "-c", "-f", "-o", str(table), "-p", str(process.pid)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        return None
    try:
        # It says so once it is attached; without the right to, it ends and the line is a complaint.
        attached = b"attached" in tracer.stderr.readline()
        if attached:
            work()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)
    return parse_strace(table.read_text()) if attached else None


def parse_strace(text):
    """The calls column of `strace -c`: {call: count}."""
    rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", text, re.M)
    return {call: int(count) for count, call in rows if call != "total"}


def raise_file_limit():
    """As many open files as the hard limit has, for thousands of clients; children inherit it."""
    import resource
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 1 << 20), hard))
    return min(hard, 1 << 20)


def cores():
    """The cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def stay_on(core):
    """Uses this core only, and so does whatever is started from now on."""
    os.sched_setaffinity(0, {core})


def machine():
    """One line about the machine: processor, cores, memory, kernel."""
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    system = os.uname()
    return (f"{cpu[1] if cpu else system.machine}, {os.cpu_count()} cores, "
            f"{memory / 1048576:.0f} GiB, {system.sysname} {system.release}")
