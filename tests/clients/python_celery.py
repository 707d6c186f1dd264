"""A Celery worker that runs jobs: slotway is its broker and keeps its results. One prefix keeps the keys in one slot,
as Celery asks for on clusters.

usage: python_celery.py PORT PREFIX [worker]
"""

import subprocess
import sys

from celery import Celery, chord, group

port, prefix = sys.argv[1], sys.argv[2]
address = f"redis://127.0.0.1:{port}/0"
app = Celery("jobs", broker=address, backend=address)
app.conf.update(
    broker_transport_options={"global_keyprefix": f"{{{prefix}}}:"},
    result_backend_transport_options={"global_keyprefix": f"{{{prefix}}}:"},
    worker_hijack_root_logger=False,
)


@app.task(name="add")
def add(one, other):
    return one + other


@app.task(name="total")
def total(numbers):
    return sum(numbers)


@app.task(name="broken", bind=True, max_retries=1)
def broken(self):
    raise self.retry(countdown=0) if self.request.retries == 0 else ValueError("twice")


def work():
    # Nothing to tell other workers: one process, one thread.
    app.Worker(pool="solo", loglevel="WARNING", without_gossip=True, without_mingle=True).start()


def ask():
    assert add.delay(2, 3).get(timeout=30) == 5
    assert group(add.s(n, n) for n in range(20)).apply_async().get(timeout=30) == [2 * n for n in range(20)]
    assert (add.s(1, 2) | add.s(3)).apply_async().get(timeout=30) == 6
    assert chord([add.s(number, 1) for number in range(5)], total.s()).apply_async().get(timeout=30) == 15
    try:
        broken.delay().get(timeout=30)
        raise AssertionError("it fails twice")
    except ValueError as error:
        assert str(error) == "twice"


if sys.argv[3:] == ["worker"]:
    work()
else:
    silent = subprocess.DEVNULL
    worker = subprocess.Popen([sys.executable, *sys.argv, "worker"], stdout=silent, stderr=silent)
    try:
        ask()
    finally:
        worker.kill()
        worker.wait()
    print("ok")
