"""The cells: which command, how many clients, how deep a pipeline, how large a value.

Pure: knows no process. The names are those of the report: `set_1k_c50_p16` is SET of 1 KiB values by 50
clients with 16 requests in flight each; 3 bytes are not named. `tx` is a transaction with one SET, `lone_get` and
`lone_set` are a lone client's requests to one node.
"""
import dataclasses

from .wire import SLOTS

SIZES = {3: "", 1024: "_1k", 16384: "_16k", 102400: "_100k"}
# Those that every command, client count and pipeline depth of the comparison is measured with.
MATRIX_SIZES = (3, 1024, 16384)
# Distinct keys by value size: far more than caches hold, few enough to be filled in seconds.
KEYS = {3: 1_000_000, 1024: 50_000, 16384: 1_000, 102400: 500}
# Requests of one run by pipeline depth: one to three seconds for the proxies known today.
REQUESTS = {1: 100_000, 16: 600_000, 64: 1_200_000}
MGET_KEYS = 10
PRIMARIES = 3
# redis-benchmark's own tag for slot 0, which the first node has.
FIRST_TAG = "06S"


@dataclasses.dataclass(frozen=True)
class Cell:
    """One kind of load."""
    command: str
    size: int
    clients: int
    pipeline: int

    @property
    def name(self):
        """Its name in options and reports."""
        return f"{self.command}{SIZES[self.size]}_c{self.clients}_p{self.pipeline}"

    def requests(self, quick):
        """How many requests one run makes."""
        lone = 0.12 if self.clients == 1 and self.pipeline == 1 else 0.3 if self.clients == 1 else 1
        large = {3: 1, 1024: 0.6, 16384: 0.3 if self.pipeline == 1 else 0.06, 102400: 0.2}[self.size]
        many = 0.3 if self.command in ("mget10", "tx") else 1
        count = int(REQUESTS[self.pipeline] * lone * large * many / (10 if quick else 1))
        return max(count, 2 * self.clients * self.pipeline)

    def words(self, key):
        """The request, on `key` or a pattern of keys."""
        return {"get": ["GET", key], "set": ["SET", key, "x" * self.size],
                "mget10": ["MGET", *[key] * MGET_KEYS]}[self.command]

    def arguments(self, clustered, requests):
        """redis-benchmark's options for it, on the keys of its size, or on `tagged_keys` of a cluster.

        A lone client asks only one node of a cluster, so it needs no `--cluster`, whose runs end in steps of 250 ms, and has
        the keys of `first_keys`.
        """
        keys, count, mode = prefix(self.size), KEYS[self.size], []
        if clustered and self.clients == 1:
            keys, count = first_prefix(self.size), first_keys(self.size)
        elif clustered:
            keys, count, mode = keys + "{tag}:", tagged_keys(self.size) // SLOTS, ["--cluster"]
        options = ["-c", self.clients, "-P", self.pipeline, "-n", requests, *mode, "-r", count]
        return [str(word) for word in options + self.words(f"{keys}__rand_int__")]

    def lone_arguments(self, where, requests):
        """What `lone_client` is told of it."""
        words = [where, requests, self.command.removeprefix("lone_"),
                 first_prefix(self.size), first_keys(self.size), self.size]
        return [str(word) for word in words]

    def is_lone(self):
        """Whether `lone_client` makes the load."""
        return self.command.startswith("lone_")

    def is_checked(self):
        """Whether what makes the load looks at every reply, so that only what keeps values can serve it."""
        return self.command == "tx" or self.is_lone()

    def runs_direct(self):
        """Whether redis-benchmark can have the nodes serve it: not where its keys sit in several slots."""
        return self.command not in ("mget10", "tx")


def tagged_keys(size):
    """How many keys redis-benchmark's tags spread over the nodes themselves: some for each slot."""
    return max(KEYS[size] // SLOTS, 1) * SLOTS


def prefix(size):
    """What the keys of values of that size begin with."""
    return f"k{size}:"


def first_prefix(size):
    """What the keys begin with that are on the first node, for lone clients."""
    return f"{prefix(size)}{{{FIRST_TAG}}}:"


def first_keys(size):
    """How many these are: as many as each node has of the others."""
    return KEYS[size] // PRIMARIES


def matrix():
    """SET and GET over every pipeline, client count and value size of the comparison."""
    return [Cell(command, size, clients, pipeline) for size in MATRIX_SIZES for clients in (50, 500, 1)
            for pipeline in REQUESTS for command in ("get", "set")]


EXTRA = [Cell("mget10", 3, 50, 1), Cell("get", 3, 5000, 1)]
TRANSACTIONS = [Cell("tx", 3, clients, 1) for clients in (1, 50, 200)]
LONE = [Cell(command, size, 1, 1) for size in (3, 1024) for command in ("lone_get", "lone_set")]
LARGE = [Cell(command, 102400, clients, 1) for clients in (1, 50, 500) for command in ("get", "set")]
CLIFF = [Cell("get", 3, clients, 1) for clients in (50, 200, 500, 1000, 2000, 5000)]
BAR = ["get_c50_p1", "get_c500_p1", "get_c50_p16", "set_1k_c50_p16", "mget10_c50_p1"]
DEFAULT = ["get_c50_p1", "set_c50_p1", "get_c50_p16", "set_c50_p16", "get_c50_p64", "set_c50_p64",
           "get_c500_p1", "set_c500_p1", "get_c500_p16", "get_c1_p1", "set_c1_p1",
           "get_1k_c50_p1", "set_1k_c50_p1", "get_1k_c50_p16", "set_1k_c50_p16",
           "get_16k_c50_p1", "set_16k_c50_p1", "mget10_c50_p1", "get_c5000_p1"]
ALL = {cell.name: cell for cell in matrix() + EXTRA + CLIFF + LARGE + TRANSACTIONS + LONE}
SETS = {"default": DEFAULT, "bar": BAR, "cliff": [cell.name for cell in CLIFF],
        "large": [cell.name for cell in LARGE], "tx": [cell.name for cell in TRANSACTIONS],
        "lone": [cell.name for cell in LONE], "all": list(ALL)}


def chosen(text):
    """The cells of a comma-separated list of cell names and set names, each once; ValueError names the stranger."""
    names = [name for word in text.split(",") for name in SETS.get(word, [word])]
    strangers = [name for name in names if name not in ALL]
    if strangers:
        raise ValueError(f"no cell {', '.join(strangers)}; there are {', '.join([*SETS, *ALL])}")
    return [ALL[name] for name in dict.fromkeys(names)]
