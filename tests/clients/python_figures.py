"""What redis-py makes of SLOWLOG, MONITOR, MEMORY STATS and LATENCY HISTOGRAM. Arguments: port, prefix, protocol."""

import sys

import redis

port, prefix, protocol = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
client = redis.Redis(port=port, protocol=protocol, client_name="watcher")

client.slowlog_reset()
client.set(prefix, "x" * 200)
assert client.slowlog_len() == 1
[entry] = client.slowlog_get()
assert entry["command"].startswith(f"SET {prefix} xx".encode()), entry
assert entry["command"].endswith(b"... (72 more bytes)"), entry
assert entry["client_address"].startswith(b"127.0.0.1:"), entry
assert entry["client_name"].startswith(b"watcher node=127.0.0.1:"), entry
assert entry["duration"] >= 0 and entry["start_time"] > 1_700_000_000, entry

other = redis.Redis(port=port, protocol=protocol)
with other.monitor() as monitor:
    client.set(prefix, "a b")
    while (line := monitor.next_command())["command"] != f"SET {prefix} a b":
        pass
    assert line["db"] == 0 and line["client_type"] == "tcp", line
    assert line["client_address"] == "127.0.0.1", line

stats = client.memory_stats()
assert stats["keys.count"] >= 1 and stats["total.allocated"] > 0, stats
assert client.execute_command("LATENCY HISTOGRAM", "set")
info = client.info("everything")
assert info["pubsub_channels"] == 0 and info["cmdstat_set"]["calls"] >= 2, info
print("ok")
