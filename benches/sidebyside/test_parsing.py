"""Tests of what reads other programs' output: `PYTHONPATH=benches python3 -m unittest sidebyside.test_parsing`."""
import io
import itertools
import socket
import threading
import unittest

from . import cells, endpoints, load, process, report, transactions, wire

LONG = """\
====== GET k ======
  10 requests completed in 0.00 seconds

Latency by percentile distribution:
0.000% <= 0.111 milliseconds (cumulative count 1)
99.805% <= 0.500 milliseconds (cumulative count 9)
99.902% <= 0.750 milliseconds (cumulative count 10)
100.000% <= 0.900 milliseconds (cumulative count 10)

Cumulative distribution of latencies:
100.000% <= 0.103 milliseconds (cumulative count 10)

Summary:
  throughput summary: 1234.50 requests per second
  latency summary (msec):
          avg       min       p50       p95       p99       max
        0.300     0.100     0.200     0.400     0.450     0.900
"""
STRACE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000600           4       150        50 recvfrom
 40.00    0.000400           4       100           writev
------ ----------- ----------- --------- --------- ----------------
100.00    0.001000           4       250        50 total
"""


def answer(sock):
    """Answers every transaction on `sock`, in two pieces."""
    with sock:
        while sock.recv(4096):
            sock.sendall(transactions.RIGHT[:7])
            sock.sendall(transactions.RIGHT[7:])


class Parsing(unittest.TestCase):
    def test_the_summary_and_the_first_step_beyond_three_nines_are_read(self):
        self.assertEqual(load.figures(LONG), (1234.5, 0.2, 0.45, 0.75))

    def test_a_distribution_that_ends_early_gives_the_largest_latency(self):
        self.assertEqual(load.figures(LONG.replace("99.902", "99.899").replace("100.000", "99.899"))[3], 0.9)

    def test_output_without_a_summary_is_an_error(self):
        self.assertRaises(load.LoadError, load.figures, "")

    def test_calls_are_read_with_and_without_errors(self):
        calls = process.parse_strace(STRACE)
        self.assertEqual(calls, {"recvfrom": 150, "writev": 100})
        self.assertEqual(load.grouped(calls, 100), {"read": 1.5, "write": 1, "wait": 0, "all": 2.5})

    def test_replies_nest(self):
        self.assertEqual(wire.read_reply(io.BytesIO(b"*3\r\n$2\r\nab\r\n$-1\r\n*1\r\n:7\r\n")), [b"ab", None, [7]])
        self.assertRaises(wire.Refused, wire.read_reply, io.BytesIO(b"-ERR no\r\n"))

    def test_transactions_are_driven_until_enough_are_answered(self):
        near, far = socket.socketpair()
        other = threading.Thread(target=answer, args=(far,))
        other.start()
        rate, took = transactions.drive([near], itertools.repeat(transactions.transaction("k")), 5, 60)
        self.assertEqual((rate > 0, len(took), took), (True, 5, sorted(took)))
        near.close()
        other.join()

    def test_a_transaction_that_was_refused_ends_the_run(self):
        near, far = socket.socketpair()
        with near, far:
            far.sendall(b"+OK\r\n-CROSSSLOT no\r\n")
            self.assertRaises(transactions.Wrong, transactions.drive, [near], itertools.repeat(b"x"), 5, 60)

    def test_percentiles_are_those_of_all(self):
        self.assertEqual(transactions.figures(7, list(range(1000))), (7, 500, 990, 999))

    def test_slots_are_those_of_the_specification(self):
        self.assertEqual(wire.slot(b"name"), 5798)

    def test_cells_are_chosen_by_name_and_by_set_without_doubles(self):
        names = [cell.name for cell in cells.chosen("bar,get_c50_p1,set_16k_c1_p64")]
        self.assertEqual(names, [*cells.BAR, "set_16k_c1_p64"])
        self.assertRaises(ValueError, cells.chosen, "get_c50")

    def test_a_lone_client_asks_the_first_node_alone(self):
        self.assertEqual(wire.slot(cells.FIRST_TAG.encode()), 0)
        lone, many = (cells.Cell("get", 3, clients, 1).arguments(True, 9) for clients in (1, 50))
        self.assertEqual(lone, "-c 1 -P 1 -n 9 -r 333333 GET k3:{06S}:__rand_int__".split())
        self.assertEqual(many, "-c 50 -P 1 -n 9 --cluster -r 61 GET k3:{tag}:__rand_int__".split())

    def test_a_lone_client_asks_all_endpoints_for_the_same_keys(self):
        cell = cells.Cell("lone_set", 1024, 1, 1)
        self.assertEqual(cell.lone_arguments(7777, 9), "7777 9 set k1024:{06S}: 16666 1024".split())
        self.assertEqual((cell.is_lone(), cell.is_checked(), cell.name), (True, True, "lone_set_1k_c1_p1"))
        self.assertFalse(cells.Cell("get", 3, 1, 1).is_checked())

    def test_what_fails_is_told_without_its_folder(self):
        endpoint = endpoints.Endpoint("direct", 1, None, [], "", "")
        with self.assertRaisesRegex(load.LoadError, "^ls: .*no-such-file"):
            load.finished(endpoint, ["/bin/ls", "no-such-file"])

    def test_medians_skip_what_was_not_measured(self):
        sample = load.Sample(1, 2, 3, 4, None, 6, None)
        row = report.Row("cell", "direct", [sample, sample], {})
        self.assertEqual((row.median("cpu"), row.cost(), row.spread("rps")), (None, 6, (1, 1)))
        self.assertIn("| direct | 1 |", report.cell_table([row]))
