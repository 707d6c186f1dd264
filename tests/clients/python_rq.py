"""RQ workers that run jobs. One prefix keeps RQ's keys in one slot, as RQ foresees.

usage: python_rq.py PORT PREFIX
"""

import os
import sys

port, prefix = int(sys.argv[1]), sys.argv[2]
os.environ["RQ_KEY_PREFIX"] = "{rq:%s}" % "".join(letter if letter.isalnum() else "-" for letter in prefix)

from redis import Redis  # noqa: E402
from rq import Queue, SimpleWorker, Worker  # noqa: E402

client = Redis("127.0.0.1", port)
for Kind in (SimpleWorker, Worker):
    queue = Queue("jobs", connection=client)
    queue.empty()
    jobs = [queue.enqueue("operator.add", number, 1) for number in range(5)]
    after = queue.enqueue("operator.mul", 6, 7, depends_on=jobs[0])
    broken = queue.enqueue("operator.truediv", 1, 0)
    Kind([queue], connection=client).work(burst=True, with_scheduler=False)
    assert [job.return_value(refresh=True) for job in jobs] == [1, 2, 3, 4, 5]
    assert after.return_value(refresh=True) == 42
    assert broken.get_status() == "failed" and broken.id in queue.failed_job_registry
    queue.failed_job_registry.remove(broken, delete_job=True)
print("ok")
