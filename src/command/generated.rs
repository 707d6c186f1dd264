//! The command table. Generated, not to be edited: `src/command/generate.py` asked
//! Redis 8.2.3 and Valkey 9.1.2.
//!
//! Holds what servers say of their commands; what slotway does with them is in `handling`.
//! Invariant: sorted by name, and a subcommand's name starts with its container's and `|`.

use super::{Begin, Categories, Find, Flags, KeyFlags, KeySpec, Spec};

/// How many commands there are, subcommands not counted.
pub const COUNT: usize = 259;

pub(super) static SPECS: [Spec; COUNT] = [
    Spec::new("acl", -2, 0)
        .acl(Categories::SLOW)
        .docs("6.0.0", "server", "Depends on subcommand.", "A container for Access List Control commands.")
        .subcommands(&[
            Spec::new("acl|cat", -2, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(1) since the categories and commands are a fixed set.",
                    "Lists the ACL categories, or the commands inside a category.",
                ),
            Spec::new("acl|deluser", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(1) amortized time considering the typical user.",
                    "Deletes ACL users, and terminates their connections.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("acl|dryrun", -4, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "server",
                    "O(1).",
                    "Simulates the execution of a command by a user, without \
executing the command.",
                ),
            Spec::new("acl|genpass", -2, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(1)",
                    "Generates a pseudorandom, secure password that can be used \
to identify ACL users.",
                ),
            Spec::new("acl|getuser", 3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of password, command and pattern \
rules that the user has.",
                    "Lists the ACL rules of a user.",
                ),
            Spec::new("acl|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "6.0.0",
                "server",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("acl|list", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of configured users.",
                    "Dumps the effective rules in ACL file format.",
                ),
            Spec::new("acl|load", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of configured users.",
                    "Reloads the rules from the configured ACL file.",
                ),
            Spec::new("acl|log", -2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N) with N being the number of entries shown.",
                    "Lists recent security events generated due to ACL rules.",
                ),
            Spec::new("acl|save", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of configured users.",
                    "Saves the effective ACL rules in the configured ACL file.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("acl|setuser", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of rules provided.",
                    "Creates and modifies an ACL user and its rules.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("acl|users", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(N). Where N is the number of configured users.",
                    "Lists all ACL users.",
                ),
            Spec::new("acl|whoami", 2, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "6.0.0",
                    "server",
                    "O(1)",
                    "Returns the authenticated username of the current \
connection.",
                ),
        ]),
    Spec::new("append", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "2.0.0",
            "string",
            "O(1). The amortized time complexity is O(1) assuming the \
appended value is small and the already present value is of \
any size, since the dynamic string library used by the \
server will double the free space available on every \
reallocation.",
            "Appends a string to the value of a key. Creates the key if \
it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("asking", 1, Flags::FAST).acl(Categories::CONNECTION | Categories::FAST).docs(
        "3.0.0",
        "cluster",
        "O(1)",
        "Signals that a cluster client is following an -ASK redirect.",
    ),
    Spec::new(
        "auth",
        -2,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_AUTH | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::CONNECTION | Categories::FAST)
    .docs(
        "1.0.0",
        "connection",
        "O(N) where N is the number of passwords defined for the user",
        "Authenticates the connection.",
    ),
    Spec::new("bgrewriteaof", 1, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs("1.0.0", "server", "O(1)", "Asynchronously rewrites the append-only file to disk."),
    Spec::new("bgsave", -1, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs("1.0.0", "server", "O(1)", "Asynchronously saves the database(s) to disk."),
    Spec::new("bitcount", -2, Flags::READONLY)
        .acl(Categories::BITMAP | Categories::READ | Categories::SLOW)
        .docs(
            "2.6.0",
            "bitmap",
            "O(N)",
            "Counts the number of set bits (population counting) in a \
string.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("bitfield", -2, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::BITMAP | Categories::SLOW | Categories::WRITE)
        .docs(
            "3.2.0",
            "bitmap",
            "O(1) for each subcommand specified",
            "Performs arbitrary bitfield integer operations on strings.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )
        .notes("This command allows both access and modification of the key")]),
    Spec::new("bitfield_ro", -2, Flags::FAST | Flags::READONLY)
        .acl(Categories::BITMAP | Categories::FAST | Categories::READ)
        .docs(
            "6.0.0",
            "bitmap",
            "O(1) for each subcommand specified",
            "Performs arbitrary read-only bitfield integer operations on \
strings.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("bitop", -4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::BITMAP | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.6.0",
            "bitmap",
            "O(N)",
            "Performs bitwise operations on multiple strings, and stores \
the result.",
        )
        .positions(2, -1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(3),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("bitpos", -3, Flags::READONLY)
        .acl(Categories::BITMAP | Categories::READ | Categories::SLOW)
        .docs("2.8.7", "bitmap", "O(N)", "Finds the first set (1) or clear (0) bit in a string.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("blmove", 6, Flags::BLOCKING | Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "6.2.0",
            "list",
            "O(1)",
            "Pops an element from a list, pushes it to another list and \
returns it. Blocks until an element is available otherwise. \
Deletes the list if the last element was moved.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("blmpop", -5, Flags::BLOCKING | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "7.0.0",
            "list",
            "O(N+M) where N is the number of provided keys and M is the \
number of elements returned.",
            "Pops the first element from one of multiple lists. Blocks \
until an element is available otherwise. Deletes the list if \
the last element was popped.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(2),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("blpop", -3, Flags::BLOCKING | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.0.0",
            "list",
            "O(N) where N is the number of provided keys.",
            "Removes and returns the first element in a list. Blocks \
until an element is available otherwise. Deletes the list if \
the last element was popped.",
        )
        .positions(1, -2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -2, step: 1, limit: 0 },
        )]),
    Spec::new("brpop", -3, Flags::BLOCKING | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.0.0",
            "list",
            "O(N) where N is the number of provided keys.",
            "Removes and returns the last element in a list. Blocks until \
an element is available otherwise. Deletes the list if the \
last element was popped.",
        )
        .positions(1, -2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -2, step: 1, limit: 0 },
        )]),
    Spec::new("brpoplpush", 4, Flags::BLOCKING | Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.2.0",
            "list",
            "O(1)",
            "Pops an element from a list, pushes it to another list and \
returns it. Blocks until an element is available otherwise. \
Deletes the list if the last element was popped.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("bzmpop", -5, Flags::BLOCKING | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "7.0.0",
            "sorted-set",
            "O(K) + O(M*log(N)) where K is the number of provided keys, N \
being the number of elements in the sorted set, and M being \
the number of elements popped.",
            "Removes and returns a member by score from one or more \
sorted sets. Blocks until a member is available otherwise. \
Deletes the sorted set if the last element was popped.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(2),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("bzpopmax", -3, Flags::BLOCKING | Flags::FAST | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "5.0.0",
            "sorted-set",
            "O(log(N)) with N being the number of elements in the sorted \
set.",
            "Removes and returns the member with the highest score from \
one or more sorted sets. Blocks until a member is available \
otherwise. Deletes the sorted set if the last element was \
popped.",
        )
        .positions(1, -2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -2, step: 1, limit: 0 },
        )]),
    Spec::new("bzpopmin", -3, Flags::BLOCKING | Flags::FAST | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "5.0.0",
            "sorted-set",
            "O(log(N)) with N being the number of elements in the sorted \
set.",
            "Removes and returns the member with the lowest score from \
one or more sorted sets. Blocks until a member is available \
otherwise. Deletes the sorted set if the last element was \
popped.",
        )
        .positions(1, -2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -2, step: 1, limit: 0 },
        )]),
    Spec::new("client", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.4.0", "connection", "Depends on subcommand.", "A container for client connection commands.")
        .subcommands(&[
            Spec::new(
                "client|caching",
                3,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs(
                "6.0.0",
                "connection",
                "O(1)",
                "Instructs the server whether to track the keys in the next \
request.",
            ),
            Spec::new("client|capa", -3, Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("8.0.0", "connection", "O(1)", "A client claims its capability."),
            Spec::new(
                "client|getname",
                2,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs("2.6.9", "connection", "O(1)", "Returns the name of the connection."),
            Spec::new(
                "client|getredir",
                2,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs(
                "6.0.0",
                "connection",
                "O(1)",
                "Returns the client ID to which the connection's tracking \
notifications are redirected.",
            ),
            Spec::new("client|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("5.0.0", "connection", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("client|id", 2, Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("5.0.0", "connection", "O(1)", "Returns the unique client ID of the connection."),
            Spec::new("client|import-source", 3, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "8.1.0",
                    "connection",
                    "O(1)",
                    "Marks this client as an import source when the server is in \
import mode.",
                ),
            Spec::new("client|info", 2, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("6.2.0", "connection", "O(1)", "Returns information about the connection.")
                .tips(&["nondeterministic_output"]),
            Spec::new("client|kill", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.4.0",
                    "connection",
                    "O(N) where N is the number of client connections",
                    "Terminates open connections.",
                ),
            Spec::new("client|list", -2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.4.0",
                    "connection",
                    "O(N) where N is the number of client connections",
                    "Lists open connections.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new(
                "client|no-evict",
                3,
                Flags::ADMIN | Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
            .docs(
                "7.0.0",
                "connection",
                "O(1)",
                "Sets the client eviction mode of the connection.",
            ),
            Spec::new(
                "client|no-touch",
                3,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs(
                "7.2.0",
                "connection",
                "O(1)",
                "Controls whether commands sent by the client affect the \
LRU/LFU of accessed keys.",
            ),
            Spec::new("client|pause", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "connection", "O(1)", "Suspends commands processing."),
            Spec::new(
                "client|reply",
                3,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NO_MULTI | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs(
                "3.2.0",
                "connection",
                "O(1)",
                "Instructs the server whether to reply to commands.",
            ),
            Spec::new(
                "client|setinfo",
                4,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs("7.2.0", "connection", "O(1)", "Sets information specific to the client or connection.")
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new(
                "client|setname",
                3,
                Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::CONNECTION | Categories::SLOW)
            .docs("2.6.9", "connection", "O(1)", "Sets the connection name.")
            .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("client|tracking", -3, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "6.0.0",
                    "connection",
                    "O(1). Some options may introduce additional complexity.",
                    "Controls server-assisted client-side caching for the \
connection.",
                ),
            Spec::new("client|trackinginfo", 2, Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "6.2.0",
                    "connection",
                    "O(1)",
                    "Returns information about server-assisted client-side \
caching for the connection.",
                ),
            Spec::new("client|unblock", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "5.0.0",
                    "connection",
                    "O(log N) where N is the number of client connections",
                    "Unblocks a client blocked by a blocking command from a \
different connection.",
                ),
            Spec::new("client|unpause", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::CONNECTION | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "6.2.0",
                    "connection",
                    "O(N) Where N is the number of paused clients",
                    "Resumes processing commands from paused clients.",
                ),
        ]),
    Spec::new("cluster", -2, 0)
        .acl(Categories::SLOW)
        .docs("3.0.0", "cluster", "Depends on subcommand.", "A container for Cluster commands.")
        .subcommands(&[
            Spec::new("cluster|addslots", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the total number of hash slot arguments",
                    "Assigns new hash slots to a node.",
                ),
            Spec::new("cluster|addslotsrange", -4, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "cluster",
                    "O(N) where N is the total number of the slots between the \
start slot and end slot arguments.",
                    "Assigns new hash slot ranges to a node.",
                ),
            Spec::new("cluster|bumpepoch", 2, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Advances the cluster config epoch.")
                .tips(&["nondeterministic_output"]),
            Spec::new(
                "cluster|cancelslotmigrations",
                2,
                Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE,
            )
            .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
            .docs(
                "9.0.0",
                "cluster",
                "O(N), where N is the number of slot migration operations \
being cancelled.",
                "Cancel all current ongoing slot migration operations.",
            ),
            Spec::new("cluster|count-failure-reports", 3, Flags::ADMIN | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the number of failure reports",
                    "Returns the number of active failure reports for a node. No \
new reports are created once the node is marked as failed.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|countkeysinslot", 3, Flags::STALE).acl(Categories::SLOW).docs(
                "3.0.0",
                "cluster",
                "O(1)",
                "Returns the number of keys in a hash slot.",
            ),
            Spec::new("cluster|delslots", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the total number of hash slot arguments",
                    "Sets hash slots as unbound for a node.",
                ),
            Spec::new("cluster|delslotsrange", -4, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "cluster",
                    "O(N) where N is the total number of the slots between the \
start slot and end slot arguments.",
                    "Sets hash slot ranges as unbound for a node.",
                ),
            Spec::new("cluster|failover", -2, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(1)",
                    "Forces a replica to perform a manual failover of its \
primary.",
                ),
            Spec::new("cluster|flushslot", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::WRITE)
                .acl(
                    Categories::ADMIN
                        | Categories::DANGEROUS
                        | Categories::KEYSPACE
                        | Categories::SLOW
                        | Categories::WRITE,
                )
                .docs(
                    "9.0.0",
                    "cluster",
                    "O(N) where N is the number of keys in the target slot",
                    "Removes all keys from the target slot.",
                ),
            Spec::new("cluster|flushslots", 2, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Deletes all slots information from a node."),
            Spec::new("cluster|forget", 3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Removes a node from the nodes table."),
            Spec::new("cluster|getkeysinslot", 4, Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the number of requested keys",
                    "Returns the key names in a hash slot.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|getslotmigrations", 2, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "9.0.0",
                    "cluster",
                    "O(N), where N is the number of active slot import and export \
jobs.",
                    "Gets the status of ongoing and recently finished slot import \
and export operations.",
                ),
            Spec::new("cluster|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "5.0.0",
                "cluster",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("cluster|info", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Returns information about the state of a node.")
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|keyslot", 3, Flags::STALE).acl(Categories::SLOW).docs(
                "3.0.0",
                "cluster",
                "O(N) where N is the number of bytes in the key",
                "Returns the hash slot for a key.",
            ),
            Spec::new("cluster|links", 2, Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "7.0.0",
                    "cluster",
                    "O(N) where N is the total number of Cluster nodes",
                    "Returns a list of all TCP links to and from peer nodes.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|meet", -4, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Forces a node to handshake with another node."),
            Spec::new("cluster|migrateslots", -4, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "9.0.0",
                    "cluster",
                    "O(N) where N is the total number of the slots between all \
start slot and end slot arguments.",
                    "Migrate the given slots from this node to the specified \
nodes.",
                ),
            Spec::new("cluster|myid", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "3.0.0",
                "cluster",
                "O(1)",
                "Returns the ID of a node.",
            ),
            Spec::new("cluster|myshardid", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs("7.2.0", "cluster", "O(1)", "Returns the shard ID of a node.")
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|nodes", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the total number of Cluster nodes",
                    "Returns the cluster configuration for a node.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|replicas", 3, Flags::ADMIN | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "5.0.0",
                    "cluster",
                    "O(N) where N is the number of replicas.",
                    "Lists the replica nodes of a primary node.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|replicate", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(1)",
                    "Configures a node as replica of a primary node or detaches a \
replica from its primary.",
                ),
            Spec::new("cluster|reset", -2, Flags::ADMIN | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the number of known nodes. The command may \
execute a FLUSHALL as a side effect.",
                    "Resets a node.",
                ),
            Spec::new("cluster|saveconfig", 2, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Forces a node to save the cluster configuration to disk."),
            Spec::new("cluster|set-config-epoch", 3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Sets the configuration epoch for a new node."),
            Spec::new("cluster|setslot", -4, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("3.0.0", "cluster", "O(1)", "Binds a hash slot to a node."),
            Spec::new("cluster|shards", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "7.0.0",
                    "cluster",
                    "O(N) where N is the total number of cluster nodes",
                    "Returns the mapping of cluster slots to shards.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|slaves", 3, Flags::ADMIN | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the number of replicas.",
                    "Lists the replica nodes of a primary node.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|slot-stats", -4, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "8.0.0",
                    "cluster",
                    "O(N) where N is the total number of slots based on \
arguments. O(N*log(N)) with ORDERBY subcommand.",
                    "Return an array of slot usage statistics for slots assigned \
to the current node.",
                )
                .tips(&["nondeterministic_output", "request_policy:all_shards"]),
            Spec::new("cluster|slots", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW)
                .docs(
                    "3.0.0",
                    "cluster",
                    "O(N) where N is the total number of Cluster nodes",
                    "Returns the mapping of cluster slots to nodes.",
                )
                .tips(&["nondeterministic_output"]),
            Spec::new("cluster|syncslots", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "9.0.0",
                    "cluster",
                    "Depends on subcommand.",
                    "A container for internal slot migration commands.",
                ),
        ]),
    Spec::new("clusterscan", -2, Flags::READONLY)
        .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
        .docs(
            "9.1.0",
            "cluster",
            "O(N) where N is the number of elements returned.",
            "Iterates over the keys in the cluster.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::NOT_KEY, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    Spec::new("command", -1, Flags::LOADING | Flags::STALE)
        .acl(Categories::CONNECTION | Categories::SLOW)
        .docs(
            "2.8.13",
            "server",
            "O(N) where N is the total number of commands",
            "Returns detailed information about all commands.",
        )
        .tips(&["nondeterministic_output_order"])
        .subcommands(&[
            Spec::new("command|count", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Returns a count of commands."),
            Spec::new("command|docs", -2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "server",
                    "O(N) where N is the number of commands to look up",
                    "Returns documentary information about one, multiple or all \
commands.",
                )
                .tips(&["nondeterministic_output_order"]),
            Spec::new("command|getkeys", -3, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "2.8.13",
                    "server",
                    "O(N) where N is the number of arguments to the command",
                    "Extracts the key names from an arbitrary command.",
                ),
            Spec::new("command|getkeysandflags", -3, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "server",
                    "O(N) where N is the number of arguments to the command",
                    "Extracts the key names and access flags for an arbitrary \
command.",
                ),
            Spec::new("command|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs("5.0.0", "server", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("command|info", -2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "2.8.13",
                    "server",
                    "O(N) where N is the number of commands to look up",
                    "Returns information about one, multiple or all commands.",
                )
                .tips(&["nondeterministic_output_order"]),
            Spec::new("command|list", -2, Flags::LOADING | Flags::STALE)
                .acl(Categories::CONNECTION | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "server",
                    "O(N) where N is the total number of commands",
                    "Returns a list of command names.",
                )
                .tips(&["nondeterministic_output_order"]),
        ]),
    Spec::new("commandlog", -2, 0)
        .acl(Categories::SLOW)
        .docs("8.1.0", "server", "Depends on subcommand.", "A container for command log commands.")
        .subcommands(&[
            Spec::new("commandlog|get", 4, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "8.1.0",
                    "server",
                    "O(N) where N is the number of entries returned",
                    "Returns the specified command log's entries.",
                )
                .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
            Spec::new("commandlog|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "8.1.0",
                "server",
                "O(1)",
                "Shows helpful text about the different subcommands.",
            ),
            Spec::new("commandlog|len", 3, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "8.1.0",
                    "server",
                    "O(1)",
                    "Returns the number of entries in the specified type of \
command log.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
            Spec::new("commandlog|reset", 3, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "8.1.0",
                    "server",
                    "O(N) where N is the number of entries in the commandlog",
                    "Clears all entries from the specified type of command log.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        ]),
    Spec::new("config", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.0.0", "server", "Depends on subcommand.", "A container for server configuration commands.")
        .subcommands(&[
            Spec::new("config|get", -3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.0.0",
                    "server",
                    "O(N) when N is the number of configuration parameters \
provided",
                    "Returns the effective values of configuration parameters.",
                ),
            Spec::new("config|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "5.0.0",
                "server",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("config|resetstat", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.0.0", "server", "O(1)", "Resets the server's statistics.")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("config|rewrite", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.0", "server", "O(1)", "Persists the effective configuration to file.")
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("config|set", -4, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.0.0",
                    "server",
                    "O(N) when N is the number of configuration parameters \
provided",
                    "Sets configuration parameters in-flight.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        ]),
    Spec::new("copy", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "6.2.0",
            "generic",
            "O(N) worst case for collections, where N is the number of \
nested items. O(1) for string values.",
            "Copies the value of a key to a new key.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("dbsize", 1, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs("1.0.0", "server", "O(1)", "Returns the number of keys in the database.")
        .tips(&["request_policy:all_shards", "response_policy:agg_sum"]),
    Spec::new("debug", -2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs("1.0.0", "server", "Depends on subcommand.", "A container for debugging commands."),
    Spec::new("decr", 2, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Decrements the integer value of a key by one. Uses 0 as \
initial value if the key doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("decrby", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Decrements the integer value of a key by a number. Uses 0 as \
initial value if the key doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("del", -2, Flags::WRITE)
        .acl(Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "generic",
            "O(N) where N is the number of keys that will be removed. \
When a key to remove holds a value other than a string, the \
individual complexity for this key is O(M) where M is the \
number of elements in the list, set, sorted set or hash. \
Removing a single key that holds a string value is O(1).",
            "Deletes one or more keys.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RM | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Spec::new("delifeq", 3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs("9.0.0", "string", "O(1)", "Delete key if value matches string.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RM | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new(
        "discard",
        1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::FAST | Categories::TRANSACTION)
    .docs(
        "2.0.0",
        "transactions",
        "O(N), when N is the number of queued commands",
        "Discards a transaction.",
    ),
    Spec::new("dump", 2, Flags::READONLY)
        .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
        .docs(
            "2.6.0",
            "generic",
            "O(1) to access the key and additional O(N*M) to serialize \
it, where N is the number of objects composing the value and \
M their average size. For small string values the time \
complexity is thus O(1)+O(1*M) where M is small, so simply \
O(1).",
            "Returns a serialized representation of the value stored at a \
key.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("echo", 2, Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::CONNECTION | Categories::FAST)
        .docs("1.0.0", "connection", "O(1)", "Returns the given string."),
    Spec::new(
        "eval",
        -3,
        Flags::MOVABLEKEYS | Flags::NO_MANDATORY_KEYS | Flags::NOSCRIPT | Flags::SKIP_MONITOR | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs(
        "2.6.0",
        "scripting",
        "Depends on the script that is executed.",
        "Executes a server-side Lua script.",
    )
    .keys(&[KeySpec::new(
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )
    .notes(
        "We cannot tell how the keys will be used so we assume the \
worst, RW and UPDATE",
    )]),
    Spec::new(
        "eval_ro",
        -3,
        Flags::MOVABLEKEYS
            | Flags::NO_MANDATORY_KEYS
            | Flags::NOSCRIPT
            | Flags::READONLY
            | Flags::SKIP_MONITOR
            | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs(
        "7.0.0",
        "scripting",
        "Depends on the script that is executed.",
        "Executes a read-only server-side Lua script.",
    )
    .keys(&[KeySpec::new(
        KeyFlags::RO | KeyFlags::ACCESS,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )
    .notes(
        "We cannot tell how the keys will be used so we assume the \
worst, RO and ACCESS",
    )]),
    Spec::new(
        "evalsha",
        -3,
        Flags::MOVABLEKEYS | Flags::NO_MANDATORY_KEYS | Flags::NOSCRIPT | Flags::SKIP_MONITOR | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs(
        "2.6.0",
        "scripting",
        "Depends on the script that is executed.",
        "Executes a server-side Lua script by SHA1 digest.",
    )
    .keys(&[KeySpec::new(
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )]),
    Spec::new(
        "evalsha_ro",
        -3,
        Flags::MOVABLEKEYS
            | Flags::NO_MANDATORY_KEYS
            | Flags::NOSCRIPT
            | Flags::READONLY
            | Flags::SKIP_MONITOR
            | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs(
        "7.0.0",
        "scripting",
        "Depends on the script that is executed.",
        "Executes a read-only server-side Lua script by SHA1 digest.",
    )
    .keys(&[KeySpec::new(
        KeyFlags::RO | KeyFlags::ACCESS,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )]),
    Spec::new(
        "exec",
        1,
        Flags::LOADING | Flags::NOSCRIPT | Flags::SKIP_COMMANDLOG | Flags::SKIP_SLOWLOG | Flags::STALE,
    )
    .acl(Categories::SLOW | Categories::TRANSACTION)
    .docs(
        "1.2.0",
        "transactions",
        "Depends on commands in the transaction",
        "Executes all commands in a transaction.",
    ),
    Spec::new("exists", -2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs(
            "1.0.0",
            "generic",
            "O(N) where N is the number of keys to check.",
            "Determines whether one or more keys exist.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: -1, step: 1, limit: 0 })])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Spec::new("expire", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("1.0.0", "generic", "O(1)", "Sets the expiration time of a key in seconds.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("expireat", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("1.2.0", "generic", "O(1)", "Sets the expiration time of a key to a Unix timestamp.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("expiretime", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs("7.0.0", "generic", "O(1)", "Returns the expiration time of a key as a Unix timestamp.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("failover", -1, Flags::ADMIN | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs(
            "6.2.0",
            "server",
            "O(1)",
            "Starts a coordinated failover from a server to one of its \
replicas.",
        ),
    Spec::new(
        "fcall",
        -3,
        Flags::MOVABLEKEYS | Flags::NO_MANDATORY_KEYS | Flags::NOSCRIPT | Flags::SKIP_MONITOR | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs("7.0.0", "scripting", "Depends on the function that is executed.", "Invokes a function.")
    .keys(&[KeySpec::new(
        KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )
    .notes(
        "We cannot tell how the keys will be used so we assume the \
worst, RW and UPDATE",
    )]),
    Spec::new(
        "fcall_ro",
        -3,
        Flags::MOVABLEKEYS
            | Flags::NO_MANDATORY_KEYS
            | Flags::NOSCRIPT
            | Flags::READONLY
            | Flags::SKIP_MONITOR
            | Flags::STALE,
    )
    .acl(Categories::SCRIPTING | Categories::SLOW)
    .docs("7.0.0", "scripting", "Depends on the function that is executed.", "Invokes a read-only function.")
    .keys(&[KeySpec::new(
        KeyFlags::RO | KeyFlags::ACCESS,
        Begin::Index(2),
        Find::Keynum { count_at: 0, first: 1, step: 1 },
    )
    .notes(
        "We cannot tell how the keys will be used so we assume the \
worst, RO and ACCESS",
    )]),
    Spec::new("flushall", -1, Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "server",
            "O(N) where N is the total number of keys in all databases",
            "Removes all keys from all databases.",
        )
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Spec::new("flushdb", -1, Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "server",
            "O(N) where N is the number of keys in the selected database",
            "Removes all keys from the current database.",
        )
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Spec::new("function", -2, 0)
        .acl(Categories::SLOW)
        .docs("7.0.0", "scripting", "Depends on subcommand.", "A container for function commands.")
        .subcommands(&[
            Spec::new("function|delete", 3, Flags::NOSCRIPT | Flags::WRITE)
                .acl(Categories::SCRIPTING | Categories::SLOW | Categories::WRITE)
                .docs("7.0.0", "scripting", "O(1)", "Deletes a library and its functions.")
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Spec::new("function|dump", 2, Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "scripting",
                    "O(N) where N is the number of functions",
                    "Dumps all libraries into a serialized binary payload.",
                ),
            Spec::new("function|flush", -2, Flags::NOSCRIPT | Flags::WRITE)
                .acl(Categories::SCRIPTING | Categories::SLOW | Categories::WRITE)
                .docs(
                    "7.0.0",
                    "scripting",
                    "O(N) where N is the number of functions deleted",
                    "Deletes all libraries and functions.",
                )
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Spec::new("function|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("7.0.0", "scripting", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("function|kill", 2, Flags::ALLOW_BUSY | Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("7.0.0", "scripting", "O(1)", "Terminates a function during execution.")
                .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
            Spec::new("function|list", -2, Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "scripting",
                    "O(N) where N is the number of functions",
                    "Returns information about all libraries.",
                )
                .tips(&["nondeterministic_output_order"]),
            Spec::new("function|load", -3, Flags::DENYOOM | Flags::NOSCRIPT | Flags::WRITE)
                .acl(Categories::SCRIPTING | Categories::SLOW | Categories::WRITE)
                .docs(
                    "7.0.0",
                    "scripting",
                    "O(1) (considering compilation time is redundant)",
                    "Creates a library.",
                )
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Spec::new("function|restore", -3, Flags::DENYOOM | Flags::NOSCRIPT | Flags::WRITE)
                .acl(Categories::SCRIPTING | Categories::SLOW | Categories::WRITE)
                .docs(
                    "7.0.0",
                    "scripting",
                    "O(N) where N is the number of functions on the payload",
                    "Restores all libraries from a payload.",
                )
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Spec::new("function|stats", 2, Flags::ALLOW_BUSY | Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("7.0.0", "scripting", "O(1)", "Returns information about a function during execution.")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
        ]),
    Spec::new("geoadd", -5, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::GEO | Categories::SLOW | Categories::WRITE)
        .docs(
            "3.2.0",
            "geo",
            "O(log(N)) for each item added, where N is the number of \
elements in the sorted set.",
            "Adds one or more members to a geospatial index. The key is \
created if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("geodist", -4, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "3.2.0",
            "geo",
            "O(1)",
            "Returns the distance between two members of a geospatial \
index.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("geohash", -2, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "3.2.0",
            "geo",
            "O(1) for each member requested.",
            "Returns members from a geospatial index as geohash strings.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("geopos", -2, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "3.2.0",
            "geo",
            "O(1) for each member requested.",
            "Returns the longitude and latitude of members from a \
geospatial index.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("georadius", -6, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::GEO | Categories::SLOW | Categories::WRITE)
        .docs(
            "3.2.0",
            "geo",
            "O(N+log(M)) where N is the number of elements inside the \
bounding box of the circular area delimited by center and \
radius and M is the number of items inside the index.",
            "Queries a geospatial index for members within a distance \
from a coordinate, optionally stores the result.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
                Begin::Keyword("STORE", 6),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
                Begin::Keyword("STOREDIST", 6),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("georadius_ro", -6, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "3.2.10",
            "geo",
            "O(N+log(M)) where N is the number of elements inside the \
bounding box of the circular area delimited by center and \
radius and M is the number of items inside the index.",
            "Returns members from a geospatial index that are within a \
distance from a coordinate.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("georadiusbymember", -5, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::GEO | Categories::SLOW | Categories::WRITE)
        .docs(
            "3.2.0",
            "geo",
            "O(N+log(M)) where N is the number of elements inside the \
bounding box of the circular area delimited by center and \
radius and M is the number of items inside the index.",
            "Queries a geospatial index for members within a distance \
from a member, optionally stores the result.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
                Begin::Keyword("STORE", 5),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
                Begin::Keyword("STOREDIST", 5),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("georadiusbymember_ro", -5, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "3.2.10",
            "geo",
            "O(N+log(M)) where N is the number of elements inside the \
bounding box of the circular area delimited by center and \
radius and M is the number of items inside the index.",
            "Returns members from a geospatial index that are within a \
distance from a member.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("geosearch", -7, Flags::READONLY)
        .acl(Categories::GEO | Categories::READ | Categories::SLOW)
        .docs(
            "6.2.0",
            "geo",
            "O(N+log(M)) where N is the number of elements in the \
grid-aligned bounding box area around the shape provided as \
the filter and M is the number of items inside the shape",
            "Queries a geospatial index for members inside an area of a \
box, circle, or a polygon.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("geosearchstore", -8, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::GEO | Categories::SLOW | Categories::WRITE)
        .docs(
            "6.2.0",
            "geo",
            "O(N+log(M)) where N is the number of elements in the \
grid-aligned bounding box area around the shape provided as \
the filter and M is the number of items inside the shape",
            "Queries a geospatial index for members inside an area of a \
box, a circle, or a polygon, optionally stores the result.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("get", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::STRING)
        .docs("1.0.0", "string", "O(1)", "Returns the string value of a key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("getbit", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::BITMAP | Categories::FAST | Categories::READ)
        .docs("2.2.0", "bitmap", "O(1)", "Returns a bit value by offset.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("getdel", 2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs("6.2.0", "string", "O(1)", "Returns the string value of a key after deleting the key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("getex", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "6.2.0",
            "string",
            "O(1)",
            "Returns the string value of a key after setting its \
expiration time.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )
        .notes("RW and UPDATE because it changes the TTL")]),
    Spec::new("getrange", 4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STRING)
        .docs(
            "2.4.0",
            "string",
            "O(N) where N is the length of the returned string. The \
complexity is ultimately determined by the returned length, \
but because creating a substring from an existing string is \
very cheap, it can be considered O(1) for small strings.",
            "Returns a substring of the string stored at a key.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("getset", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Returns the previous string value of a key after setting it \
to a new value.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hdel", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.0.0",
            "hash",
            "O(N) where N is the number of fields to be removed.",
            "Deletes one or more fields and their values from a hash. \
Deletes the hash if no fields remain.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new(
        "hello",
        -1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_AUTH | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::CONNECTION | Categories::FAST)
    .docs("6.0.0", "connection", "O(1)", "Handshakes with the server."),
    Spec::new("hexists", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs("2.0.0", "hash", "O(1)", "Determines whether a field exists in a hash.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("hexpire", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Sets expiry time on hash fields.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hexpireat", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Sets expiry time on hash fields.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hexpiretime", -5, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Returns Unix timestamps in seconds since the epoch at which \
the given key's field(s) will expire.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hget", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs("2.0.0", "hash", "O(1)", "Returns the value of a field in a hash.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hgetall", 2, Flags::READONLY)
        .acl(Categories::HASH | Categories::READ | Categories::SLOW)
        .docs(
            "2.0.0",
            "hash",
            "O(N) where N is the size of the hash.",
            "Returns all fields and values in a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("hgetdel", -5, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.1.0",
            "hash",
            "O(N) where N is the number of fields to be retrieved and \
deleted.",
            "Returns the values of one or more fields and deletes them \
from a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hgetex", -5, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Gets the value of one or more fields of a given hash key, \
and optionally sets their expiration time or time-to-live \
(TTL).",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hincrby", 4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.0.0",
            "hash",
            "O(1)",
            "Increments the integer value of a field in a hash by a \
number. Uses 0 as initial value if the field doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hincrbyfloat", 4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.6.0",
            "hash",
            "O(1)",
            "Increments the floating point value of a field by a number. \
Uses 0 as initial value if the field doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hkeys", 2, Flags::READONLY)
        .acl(Categories::HASH | Categories::READ | Categories::SLOW)
        .docs("2.0.0", "hash", "O(N) where N is the size of the hash.", "Returns all fields in a hash.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("hlen", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs("2.0.0", "hash", "O(1)", "Returns the number of fields in a hash.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("hmget", -3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs(
            "2.0.0",
            "hash",
            "O(N) where N is the number of fields being requested.",
            "Returns the values of all fields in a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hmset", -4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.0.0",
            "hash",
            "O(N) where N is the number of fields being set.",
            "Sets the values of multiple fields.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hpersist", -5, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Remove the existing expiration on a hash key's field(s).",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hpexpire", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Sets expiry time on hash object.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hpexpireat", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Sets expiration time on hash field.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hpexpiretime", -5, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Returns the Unix timestamp in milliseconds since Unix epoch \
at which the given key's field(s) will expire.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hpttl", -5, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Returns the remaining time to live in milliseconds of a hash \
key's field(s) that have an associated expiration.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hrandfield", -2, Flags::READONLY)
        .acl(Categories::HASH | Categories::READ | Categories::SLOW)
        .docs(
            "6.2.0",
            "hash",
            "O(N) where N is the number of fields returned",
            "Returns one or more random fields from a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("hscan", -3, Flags::READONLY)
        .acl(Categories::HASH | Categories::READ | Categories::SLOW)
        .docs(
            "2.8.0",
            "hash",
            "O(1) for every call. O(N) for a complete iteration, \
including enough command calls for the cursor to return back \
to 0. N is the number of elements inside the collection.",
            "Iterates over fields and values of a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("hset", -4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.0.0",
            "hash",
            "O(1) for each field/value pair added, so O(N) to add N \
field/value pairs when the command is called with multiple \
field/value pairs.",
            "Creates or modifies the value of a field in a hash.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hsetex", -6, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Sets the value of one or more fields of a given hash key, \
and optionally sets their expiration time.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hsetnx", 4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HASH | Categories::WRITE)
        .docs(
            "2.0.0",
            "hash",
            "O(1)",
            "Sets the value of a field in a hash only when the field \
doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hstrlen", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs("3.2.0", "hash", "O(1)", "Returns the length of the value of a field.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("httl", -5, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::HASH | Categories::READ)
        .docs(
            "9.0.0",
            "hash",
            "O(N) where N is the number of specified fields.",
            "Returns the remaining time to live (in seconds) of a hash \
key's field(s) that have an associated expiration.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("hvals", 2, Flags::READONLY)
        .acl(Categories::HASH | Categories::READ | Categories::SLOW)
        .docs("2.0.0", "hash", "O(N) where N is the size of the hash.", "Returns all values in a hash.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("incr", 2, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Increments the integer value of a key by one. Uses 0 as \
initial value if the key doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("incrby", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Increments the integer value of a key by a number. Uses 0 as \
initial value if the key doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("incrbyfloat", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "2.6.0",
            "string",
            "O(1)",
            "Increments the floating point value of a key by a number. \
Uses 0 as initial value if the key doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("info", -1, Flags::LOADING | Flags::STALE)
        .acl(Categories::DANGEROUS | Categories::SLOW)
        .docs("1.0.0", "server", "O(1)", "Returns information and statistics about the server.")
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    Spec::new("keys", 2, Flags::READONLY)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::READ | Categories::SLOW)
        .docs(
            "1.0.0",
            "generic",
            "O(N) with N being the number of keys in the database, under \
the assumption that the key names in the database and the \
given pattern have limited length.",
            "Returns all key names that match a pattern.",
        )
        .tips(&["request_policy:all_shards", "nondeterministic_output_order"]),
    Spec::new("lastsave", 1, Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::FAST)
        .docs(
            "1.0.0",
            "server",
            "O(1)",
            "Returns the Unix timestamp of the last successful save to \
disk.",
        )
        .tips(&["nondeterministic_output"]),
    Spec::new("latency", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.8.13", "server", "Depends on subcommand.", "A container for latency diagnostics commands.")
        .subcommands(&[
            Spec::new("latency|doctor", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Returns a human-readable latency analysis report.")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Spec::new("latency|graph", 3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Returns a latency graph for an event.")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Spec::new("latency|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "2.8.13",
                "server",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new(
                "latency|histogram",
                -2,
                Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
            )
            .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
            .docs(
                "7.0.0",
                "server",
                "O(N) where N is the number of commands with latency \
information being retrieved.",
                "Returns the cumulative distribution of latencies of a subset \
or all commands.",
            )
            .tips(&[
                "nondeterministic_output",
                "request_policy:all_nodes",
                "response_policy:special",
            ]),
            Spec::new("latency|history", 3, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Returns timestamp-latency samples for an event.")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Spec::new("latency|latest", 2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Returns the latest latency samples for all events.")
                .tips(&["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"]),
            Spec::new("latency|reset", -2, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.8.13", "server", "O(1)", "Resets the latency data for one or more events.")
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum"]),
        ]),
    Spec::new("lcs", -3, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STRING)
        .docs(
            "7.0.0",
            "string",
            "O(N*M) where N and M are the lengths of s1 and s2, \
respectively",
            "Finds the longest common substring.",
        )
        .positions(1, 2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 1, step: 1, limit: 0 },
        )]),
    Spec::new("lindex", 3, Flags::READONLY)
        .acl(Categories::LIST | Categories::READ | Categories::SLOW)
        .docs(
            "1.0.0",
            "list",
            "O(N) where N is the number of elements to traverse to get to \
the element at index. This makes asking for the first or the \
last element of the list O(1).",
            "Returns an element from a list by its index.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("linsert", 5, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.2.0",
            "list",
            "O(N) where N is the number of elements to traverse before \
seeing the value pivot. This means that inserting somewhere \
on the left end on the list (head) can be considered O(1) \
and inserting somewhere on the right end (tail) is O(N).",
            "Inserts an element before or after another element in a \
list.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("llen", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::LIST | Categories::READ)
        .docs("1.0.0", "list", "O(1)", "Returns the length of a list.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("lmove", 5, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "6.2.0",
            "list",
            "O(1)",
            "Returns an element after popping it from one list and \
pushing it to another. Deletes the list if the last element \
was moved.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("lmpop", -4, Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "7.0.0",
            "list",
            "O(N+M) where N is the number of provided keys and M is the \
number of elements returned.",
            "Returns multiple elements from a list after removing them. \
Deletes the list if the last element was popped.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("lolwut", -1, Flags::FAST | Flags::READONLY).acl(Categories::FAST | Categories::READ).docs(
        "5.0.0",
        "server",
        "",
        "Displays computer art and the server version.",
    ),
    Spec::new("lpop", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(N) where N is the number of elements returned",
            "Returns and removes one or more elements from the beginning \
of a list. Deletes the list if the last element was popped.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lpos", -3, Flags::READONLY)
        .acl(Categories::LIST | Categories::READ | Categories::SLOW)
        .docs(
            "6.0.6",
            "list",
            "O(N) where N is the number of elements in the list, for the \
average case. When searching for elements near the head or \
the tail of the list, or when the MAXLEN option is provided, \
the command may run in constant time.",
            "Returns the index of matching elements in a list.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lpush", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(1) for each element added, so O(N) to add N elements when \
the command is called with multiple arguments.",
            "Prepends one or more elements to a list. Creates the key if \
it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lpushx", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "2.2.0",
            "list",
            "O(1) for each element added, so O(N) to add N elements when \
the command is called with multiple arguments.",
            "Prepends one or more elements to a list only when the list \
exists.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lrange", 4, Flags::READONLY)
        .acl(Categories::LIST | Categories::READ | Categories::SLOW)
        .docs(
            "1.0.0",
            "list",
            "O(S+N) where S is the distance of start offset from HEAD for \
small lists, from nearest end (HEAD or TAIL) for large \
lists; and N is the number of elements in the specified \
range.",
            "Returns a range of elements from a list.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lrem", 4, Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(N+M) where N is the length of the list and M is the number \
of elements removed.",
            "Removes elements from a list. Deletes the list if the last \
element was removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("lset", 4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(N) where N is the length of the list. Setting either the \
first or the last element of the list is O(1).",
            "Sets the value of an element in a list by its index.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("ltrim", 4, Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(N) where N is the number of elements to be removed by the \
operation.",
            "Removes elements from both ends of a list. Deletes the list \
if all elements were trimmed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("memory", -2, 0)
        .acl(Categories::SLOW)
        .docs("4.0.0", "server", "Depends on subcommand.", "A container for memory diagnostics commands.")
        .subcommands(&[
            Spec::new("memory|doctor", 2, 0)
                .acl(Categories::SLOW)
                .docs("4.0.0", "server", "O(1)", "Outputs a memory problems report.")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Spec::new("memory|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "4.0.0",
                "server",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("memory|malloc-stats", 2, Flags::LOADING)
                .acl(Categories::SLOW)
                .docs(
                    "4.0.0",
                    "server",
                    "Depends on how much memory is allocated, could be slow",
                    "Returns the allocator statistics.",
                )
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Spec::new("memory|purge", 2, Flags::LOADING)
                .acl(Categories::SLOW)
                .docs(
                    "4.0.0",
                    "server",
                    "Depends on how much memory is allocated, could be slow",
                    "Asks the allocator to release memory.",
                )
                .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
            Spec::new("memory|stats", 2, 0)
                .acl(Categories::SLOW)
                .docs("4.0.0", "server", "O(1)", "Returns details about memory usage.")
                .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
            Spec::new("memory|usage", -3, Flags::READONLY)
                .acl(Categories::READ | Categories::SLOW)
                .docs(
                    "4.0.0",
                    "server",
                    "O(N) where N is the number of samples.",
                    "Estimates the memory usage of a key.",
                )
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
        ]),
    Spec::new("mget", -2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::STRING)
        .docs(
            "1.0.0",
            "string",
            "O(N) where N is the number of keys to retrieve.",
            "Atomically returns the string values of one or more keys.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["request_policy:multi_shard"]),
    Spec::new("migrate", -6, Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.6.0",
            "generic",
            "This command actually executes a DUMP+DEL in the source \
instance, and a RESTORE in the target instance. See the \
pages of these commands for time complexity. Also an O(N) \
data transfer between the two instances is performed.",
            "Atomically transfers a key from one instance to another.",
        )
        .positions(3, 3, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(3),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE | KeyFlags::INCOMPLETE,
                Begin::Keyword("KEYS", -2),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ])
        .tips(&["nondeterministic_output"]),
    Spec::new("module", -2, 0)
        .acl(Categories::SLOW)
        .docs("4.0.0", "server", "Depends on subcommand.", "A container for module commands.")
        .subcommands(&[
            Spec::new("module|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "5.0.0",
                "server",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("module|list", 2, Flags::ADMIN | Flags::NOSCRIPT)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "4.0.0",
                    "server",
                    "O(N) where N is the number of loaded modules.",
                    "Returns all loaded modules.",
                )
                .tips(&["nondeterministic_output_order"]),
            Spec::new("module|load", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("4.0.0", "server", "O(1)", "Loads a module."),
            Spec::new("module|loadex", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("7.0.0", "server", "O(1)", "Loads a module using extended parameters."),
            Spec::new("module|unload", 3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("4.0.0", "server", "O(1)", "Unloads a module."),
        ]),
    Spec::new("monitor", 1, Flags::ADMIN | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs(
            "1.0.0",
            "server",
            "",
            "Listens for all requests received by the server in \
real-time.",
        ),
    Spec::new("move", 3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("1.0.0", "generic", "O(1)", "Moves a key to another database.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("mset", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.1",
            "string",
            "O(N) where N is the number of keys to set.",
            "Atomically creates or modifies the string values of one or \
more keys.",
        )
        .positions(1, -1, 2)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: -1, step: 2, limit: 0 },
        )])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    Spec::new("msetex", -4, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "9.1.0",
            "string",
            "O(N) where N is the number of keys to set.",
            "Atomically creates or modifies the string values of one or \
more keys, and optionally set their expiration.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 2 },
        )])
        .tips(&["request_policy:multi_shard", "response_policy:all_succeeded"]),
    Spec::new("msetnx", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.1",
            "string",
            "O(N) where N is the number of keys to set.",
            "Atomically modifies the string values of one or more keys \
only when all keys don't exist.",
        )
        .positions(1, -1, 2)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: -1, step: 2, limit: 0 },
        )]),
    Spec::new(
        "multi",
        1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_MULTI | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::FAST | Categories::TRANSACTION)
    .docs("1.2.0", "transactions", "O(1)", "Starts a transaction."),
    Spec::new("object", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.2.3", "generic", "Depends on subcommand.", "A container for object introspection commands.")
        .subcommands(&[
            Spec::new("object|encoding", 3, Flags::READONLY)
                .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
                .docs("2.2.3", "generic", "O(1)", "Returns the internal encoding of an object.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )])
                .tips(&["nondeterministic_output"]),
            Spec::new("object|freq", 3, Flags::READONLY)
                .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
                .docs(
                    "4.0.0",
                    "generic",
                    "O(1)",
                    "Returns the logarithmic access frequency counter of an \
object.",
                )
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )])
                .tips(&["nondeterministic_output"]),
            Spec::new("object|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::KEYSPACE | Categories::SLOW)
                .docs("6.2.0", "generic", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("object|idletime", 3, Flags::READONLY)
                .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
                .docs("2.2.3", "generic", "O(1)", "Returns the time since the last access to an object.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )])
                .tips(&["nondeterministic_output"]),
            Spec::new("object|refcount", 3, Flags::READONLY)
                .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
                .docs("2.2.3", "generic", "O(1)", "Returns the reference count of a value of a key.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )])
                .tips(&["nondeterministic_output"]),
        ]),
    Spec::new("persist", 2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("2.2.0", "generic", "O(1)", "Removes the expiration time of a key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pexpire", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("2.6.0", "generic", "O(1)", "Sets the expiration time of a key in milliseconds.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pexpireat", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs(
            "2.6.0",
            "generic",
            "O(1)",
            "Sets the expiration time of a key to a Unix milliseconds \
timestamp.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pexpiretime", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs(
            "7.0.0",
            "generic",
            "O(1)",
            "Returns the expiration time of a key as a Unix milliseconds \
timestamp.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pfadd", -2, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::HYPERLOGLOG | Categories::WRITE)
        .docs(
            "2.8.9",
            "hyperloglog",
            "O(1) to add every element.",
            "Adds elements to a HyperLogLog key. Creates the key if it \
doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pfcount", -2, Flags::READONLY)
        .acl(Categories::HYPERLOGLOG | Categories::READ | Categories::SLOW)
        .docs(
            "2.8.9",
            "hyperloglog",
            "O(1) with a very small average constant time when called \
with a single key. O(N) with N being the number of keys, and \
much bigger constant times, when called with multiple keys.",
            "Returns the approximated cardinality of the set(s) observed \
by the HyperLogLog key(s).",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )
        .notes(
            "RW because it may change the internal representation of the \
key, and propagate to replicas",
        )]),
    Spec::new("pfdebug", 3, Flags::ADMIN | Flags::DENYOOM | Flags::WRITE)
        .acl(
            Categories::ADMIN
                | Categories::DANGEROUS
                | Categories::HYPERLOGLOG
                | Categories::SLOW
                | Categories::WRITE,
        )
        .docs("2.8.9", "hyperloglog", "N/A", "Internal commands for debugging HyperLogLog values.")
        .positions(2, 2, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS,
            Begin::Index(2),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("pfmerge", -2, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::HYPERLOGLOG | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.8.9",
            "hyperloglog",
            "O(N) to merge N HyperLogLogs, but with high constant times.",
            "Merges one or more HyperLogLog values into a single key.",
        )
        .positions(1, -1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::INSERT,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("pfselftest", 1, Flags::ADMIN)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::HYPERLOGLOG | Categories::SLOW)
        .docs("2.8.9", "hyperloglog", "N/A", "An internal command for testing HyperLogLog values."),
    Spec::new("ping", -1, Flags::FAST)
        .acl(Categories::CONNECTION | Categories::FAST)
        .docs("1.0.0", "connection", "O(1)", "Returns the server's liveliness response.")
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Spec::new("psetex", 4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "2.6.0",
            "string",
            "O(1)",
            "Sets both string value and expiration time in milliseconds \
of a key. The key is created if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("psubscribe", -2, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "2.0.0",
            "pubsub",
            "O(N) where N is the number of patterns to subscribe to.",
            "Listens for messages published to channels that match one or \
more patterns.",
        ),
    Spec::new("psync", -3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NO_MULTI | Flags::NOSCRIPT)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs("2.8.0", "server", "", "An internal command used in replication."),
    Spec::new("pttl", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs("2.6.0", "generic", "O(1)", "Returns the expiration time in milliseconds of a key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("publish", 3, Flags::FAST | Flags::LOADING | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::FAST | Categories::PUBSUB)
        .docs(
            "2.0.0",
            "pubsub",
            "O(N+M) where N is the number of clients subscribed to the \
receiving channel and M is the total number of subscribed \
patterns (by any client).",
            "Posts a message to a channel.",
        ),
    Spec::new("pubsub", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.8.0", "pubsub", "Depends on subcommand.", "A container for Pub/Sub commands.")
        .subcommands(&[
            Spec::new("pubsub|channels", -2, Flags::LOADING | Flags::PUBSUB | Flags::STALE)
                .acl(Categories::PUBSUB | Categories::SLOW)
                .docs(
                    "2.8.0",
                    "pubsub",
                    "O(N) where N is the number of active channels, and assuming \
constant time pattern matching (relatively short channels \
and patterns)",
                    "Returns the active channels.",
                ),
            Spec::new("pubsub|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "6.2.0",
                "pubsub",
                "O(1)",
                "Returns helpful text about the different subcommands.",
            ),
            Spec::new("pubsub|numpat", 2, Flags::LOADING | Flags::PUBSUB | Flags::STALE)
                .acl(Categories::PUBSUB | Categories::SLOW)
                .docs("2.8.0", "pubsub", "O(1)", "Returns a count of unique pattern subscriptions."),
            Spec::new("pubsub|numsub", -2, Flags::LOADING | Flags::PUBSUB | Flags::STALE)
                .acl(Categories::PUBSUB | Categories::SLOW)
                .docs(
                    "2.8.0",
                    "pubsub",
                    "O(N) for the NUMSUB subcommand, where N is the number of \
requested channels",
                    "Returns a count of subscribers to channels.",
                ),
            Spec::new("pubsub|shardchannels", -2, Flags::LOADING | Flags::PUBSUB | Flags::STALE)
                .acl(Categories::PUBSUB | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "pubsub",
                    "O(N) where N is the number of active shard channels, and \
assuming constant time pattern matching (relatively short \
shard channels).",
                    "Returns the active shard channels.",
                ),
            Spec::new("pubsub|shardnumsub", -2, Flags::LOADING | Flags::PUBSUB | Flags::STALE)
                .acl(Categories::PUBSUB | Categories::SLOW)
                .docs(
                    "7.0.0",
                    "pubsub",
                    "O(N) for the SHARDNUMSUB subcommand, where N is the number \
of requested shard channels",
                    "Returns the count of subscribers of shard channels.",
                ),
        ]),
    Spec::new("punsubscribe", -1, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "2.0.0",
            "pubsub",
            "O(N) where N is the number of patterns to unsubscribe.",
            "Stops listening to messages published to channels that match \
one or more patterns.",
        ),
    Spec::new(
        "quit",
        -1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_AUTH | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::CONNECTION | Categories::FAST)
    .docs("1.0.0", "connection", "O(1)", "Closes the connection."),
    Spec::new("randomkey", 1, Flags::READONLY)
        .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
        .docs("1.0.0", "generic", "O(1)", "Returns a random key name from the database.")
        .tips(&["request_policy:all_shards", "response_policy:special", "nondeterministic_output"]),
    Spec::new("readonly", 1, Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::CONNECTION | Categories::FAST)
        .docs(
            "3.0.0",
            "cluster",
            "O(1)",
            "Enables read-only queries for a connection to a Valkey \
replica node.",
        ),
    Spec::new("readwrite", 1, Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::CONNECTION | Categories::FAST)
        .docs(
            "3.0.0",
            "cluster",
            "O(1)",
            "Enables read-write queries for a connection to a Valkey \
replica node.",
        ),
    Spec::new("rename", 3, Flags::WRITE)
        .acl(Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs("1.0.0", "generic", "O(1)", "Renames a key and overwrites the destination.")
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("renamenx", 3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs("1.0.0", "generic", "O(1)", "Renames a key only when the target key name doesn't exist.")
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::OW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new(
        "replconf",
        -1,
        Flags::ADMIN | Flags::ALLOW_BUSY | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
    .docs("3.0.0", "server", "O(1)", "An internal command for configuring the replication stream."),
    Spec::new("replicaof", 3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs(
            "5.0.0",
            "server",
            "O(1)",
            "Configures a server as replica of another, or promotes it to \
a primary.",
        ),
    Spec::new(
        "reset",
        1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_AUTH | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::CONNECTION | Categories::FAST)
    .docs("6.2.0", "connection", "O(1)", "Resets the connection."),
    Spec::new("restore", -4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.6.0",
            "generic",
            "O(1) to create the new key and additional O(N*M) to \
reconstruct the serialized value, where N is the number of \
objects composing the value and M their average size. For \
small string values the time complexity is thus O(1)+O(1*M) \
where M is small, so simply O(1). However for sorted set \
values the complexity is O(N*M*log(N)) because inserting \
values into sorted sets is O(log(N)).",
            "Creates a key from the serialized representation of a value.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("restore-asking", -4, Flags::ASKING | Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::KEYSPACE | Categories::SLOW | Categories::WRITE)
        .docs(
            "3.0.0",
            "server",
            "O(1) to create the new key and additional O(N*M) to \
reconstruct the serialized value, where N is the number of \
objects composing the value and M their average size. For \
small string values the time complexity is thus O(1)+O(1*M) \
where M is small, so simply O(1). However for sorted set \
values the complexity is O(N*M*log(N)) because inserting \
values into sorted sets is O(log(N)).",
            "An internal command for migrating keys in a cluster.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("role", 1, Flags::FAST | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::FAST)
        .docs("2.8.12", "server", "O(1)", "Returns the replication role."),
    Spec::new("rpop", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(N) where N is the number of elements returned",
            "Returns and removes one or more elements from the end of a \
list. Deletes the list if the last element was popped.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("rpoplpush", 3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::LIST | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.2.0",
            "list",
            "O(1)",
            "Returns the last element of a list after removing and \
pushing it to another list. Deletes the list if the last \
element was popped.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("rpush", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "1.0.0",
            "list",
            "O(1) for each element added, so O(N) to add N elements when \
the command is called with multiple arguments.",
            "Appends one or more elements to a list. Creates the key if \
it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("rpushx", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::LIST | Categories::WRITE)
        .docs(
            "2.2.0",
            "list",
            "O(1) for each element added, so O(N) to add N elements when \
the command is called with multiple arguments.",
            "Appends one or more elements to a list only when the list \
exists.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("sadd", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SET | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "O(1) for each element added, so O(N) to add N elements when \
the command is called with multiple arguments.",
            "Adds one or more members to a set. Creates the key if it \
doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("save", 1, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NO_MULTI | Flags::NOSCRIPT)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs(
            "1.0.0",
            "server",
            "O(N) where N is the total number of keys in all databases",
            "Synchronously saves the database(s) to disk.",
        ),
    Spec::new("scan", -2, Flags::READONLY)
        .acl(Categories::KEYSPACE | Categories::READ | Categories::SLOW)
        .docs(
            "2.8.0",
            "generic",
            "O(1) for every call. O(N) for a complete iteration, \
including enough command calls for the cursor to return back \
to 0. N is the number of elements inside the collection.",
            "Iterates over the key names in the database.",
        )
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    Spec::new("scard", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SET)
        .docs("1.0.0", "set", "O(1)", "Returns the number of members in a set.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("script", -2, 0)
        .acl(Categories::SLOW)
        .docs(
            "2.6.0",
            "scripting",
            "Depends on subcommand.",
            "A container for Lua scripts management commands.",
        )
        .subcommands(&[
            Spec::new("script|debug", -3, Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("3.2.0", "scripting", "O(1)", "Sets the debug mode of server-side Lua scripts."),
            Spec::new("script|exists", -3, Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs(
                    "2.6.0",
                    "scripting",
                    "O(N) with N being the number of scripts to check (so \
checking a single script is an O(1) operation).",
                    "Determines whether server-side Lua scripts exist in the \
script cache.",
                )
                .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
            Spec::new("script|flush", -2, Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs(
                    "2.6.0",
                    "scripting",
                    "O(N) with N being the number of scripts in cache",
                    "Removes all server-side Lua scripts from the script cache.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("script|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("5.0.0", "scripting", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("script|kill", 2, Flags::ALLOW_BUSY | Flags::NOSCRIPT)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("2.6.0", "scripting", "O(1)", "Terminates a server-side Lua script during execution.")
                .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
            Spec::new("script|load", 3, Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs(
                    "2.6.0",
                    "scripting",
                    "O(N) with N being the length in bytes of the script body.",
                    "Loads a server-side Lua script to the script cache.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
            Spec::new("script|show", 3, Flags::NOSCRIPT | Flags::STALE)
                .acl(Categories::SCRIPTING | Categories::SLOW)
                .docs("8.0.0", "scripting", "O(1).", "Show server-side Lua script in the script cache."),
        ]),
    Spec::new("sdiff", -2, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "1.0.0",
            "set",
            "O(N) where N is the total number of elements in all given \
sets.",
            "Returns the difference of multiple sets.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("sdiffstore", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SET | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "O(N) where N is the total number of elements in all given \
sets.",
            "Stores the difference of multiple sets in a key.",
        )
        .positions(1, -1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("select", 2, Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::CONNECTION | Categories::FAST)
        .docs("1.0.0", "connection", "O(1)", "Changes the selected database."),
    Spec::new("set", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Sets the string value of a key, ignoring its type. The key \
is created if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE | KeyFlags::VARIABLE_FLAGS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )
        .notes("RW and ACCESS due to the optional `GET` argument")]),
    Spec::new("setbit", 4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::BITMAP | Categories::SLOW | Categories::WRITE)
        .docs(
            "2.2.0",
            "bitmap",
            "O(1)",
            "Sets or clears the bit at offset of the string value. \
Creates the key if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("setex", 4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "2.0.0",
            "string",
            "O(1)",
            "Sets the string value and expiration time of a key. Creates \
the key if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("setnx", 3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STRING | Categories::WRITE)
        .docs(
            "1.0.0",
            "string",
            "O(1)",
            "Sets the string value of a key only when the key doesn't \
exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::OW | KeyFlags::INSERT,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("setrange", 4, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::STRING | Categories::WRITE)
        .docs(
            "2.2.0",
            "string",
            "O(1), not counting the time taken to copy the new string in \
place. Usually, this string is very small so the amortized \
complexity is O(1). Otherwise, complexity is O(M) with M \
being the length of the value argument.",
            "Overwrites a part of a string value with another by an \
offset. Creates the key if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new(
        "shutdown",
        -1,
        Flags::ADMIN | Flags::ALLOW_BUSY | Flags::LOADING | Flags::NO_MULTI | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
    .docs(
        "1.0.0",
        "server",
        "O(N) when saving, where N is the total number of keys in all \
databases when saving data, otherwise O(1)",
        "Synchronously saves the database(s) to disk and shuts down \
the server.",
    ),
    Spec::new("sinter", -2, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "1.0.0",
            "set",
            "O(N*M) worst case where N is the cardinality of the smallest \
set and M is the number of sets.",
            "Returns the intersect of multiple sets.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("sintercard", -3, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "7.0.0",
            "set",
            "O(N*M) worst case where N is the cardinality of the smallest \
set and M is the number of sets.",
            "Returns the number of members of the intersect of multiple \
sets.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("sinterstore", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SET | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "O(N*M) worst case where N is the cardinality of the smallest \
set and M is the number of sets.",
            "Stores the intersect of multiple sets in a key.",
        )
        .positions(1, -1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("sismember", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SET)
        .docs("1.0.0", "set", "O(1)", "Determines whether a member belongs to a set.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("slaveof", 3, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NOSCRIPT | Flags::STALE)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs(
            "1.0.0",
            "server",
            "O(1)",
            "Sets a server as a replica of another, or promotes it to \
being a primary.",
        ),
    Spec::new("slowlog", -2, 0)
        .acl(Categories::SLOW)
        .docs("2.2.12", "server", "Depends on subcommand.", "A container for slow log commands.")
        .subcommands(&[
            Spec::new("slowlog|get", -2, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.2.12",
                    "server",
                    "O(N) where N is the number of entries returned",
                    "Returns the slow log's entries.",
                )
                .tips(&["request_policy:all_nodes", "nondeterministic_output"]),
            Spec::new("slowlog|help", 2, Flags::LOADING | Flags::STALE).acl(Categories::SLOW).docs(
                "6.2.0",
                "server",
                "O(1)",
                "Shows helpful text about the different subcommands.",
            ),
            Spec::new("slowlog|len", 2, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs("2.2.12", "server", "O(1)", "Returns the number of entries in the slow log.")
                .tips(&["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"]),
            Spec::new("slowlog|reset", 2, Flags::ADMIN | Flags::LOADING | Flags::STALE)
                .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
                .docs(
                    "2.2.12",
                    "server",
                    "O(N) where N is the number of entries in the slowlog",
                    "Clears all entries from the slow log.",
                )
                .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
        ]),
    Spec::new("smembers", 2, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs("1.0.0", "set", "O(N) where N is the set cardinality.", "Returns all members of a set.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("smismember", -3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SET)
        .docs(
            "6.2.0",
            "set",
            "O(N) where N is the number of elements being checked for \
membership",
            "Determines whether multiple members belong to a set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("smove", 4, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SET | Categories::WRITE)
        .docs("1.0.0", "set", "O(1)", "Moves a member from one set to another.")
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RW | KeyFlags::INSERT,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("sort", -2, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(
            Categories::DANGEROUS
                | Categories::LIST
                | Categories::SET
                | Categories::SLOW
                | Categories::SORTEDSET
                | Categories::WRITE,
        )
        .docs(
            "1.0.0",
            "generic",
            "O(N+M*log(M)) where N is the number of elements in the list \
or set to sort, and M the number of returned elements. When \
the elements are not sorted, complexity is O(N).",
            "Sorts the elements in a list, a set, or a sorted set, \
optionally storing the result.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(KeyFlags::RO | KeyFlags::ACCESS, Begin::Unknown, Find::Unknown).notes(
                "For the optional BY/GET keyword. It is marked 'unknown' \
because the key names derive from the content of the key we \
sort",
            ),
            KeySpec::new(KeyFlags::OW | KeyFlags::UPDATE, Begin::Unknown, Find::Unknown).notes(
                "For the optional STORE keyword. It is marked 'unknown' \
because the keyword can appear anywhere in the argument \
array",
            ),
        ]),
    Spec::new("sort_ro", -2, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(
            Categories::DANGEROUS
                | Categories::LIST
                | Categories::READ
                | Categories::SET
                | Categories::SLOW
                | Categories::SORTEDSET,
        )
        .docs(
            "7.0.0",
            "generic",
            "O(N+M*log(M)) where N is the number of elements in the list \
or set to sort, and M the number of returned elements. When \
the elements are not sorted, complexity is O(N).",
            "Returns the sorted elements of a list, a set, or a sorted \
set.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(KeyFlags::RO | KeyFlags::ACCESS, Begin::Unknown, Find::Unknown).notes(
                "For the optional BY/GET keyword. It is marked 'unknown' \
because the key names derive from the content of the key we \
sort",
            ),
        ]),
    Spec::new("spop", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SET | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "Without the count argument O(1), otherwise O(N) where N is \
the value of the passed count.",
            "Returns one or more random members from a set after removing \
them. Deletes the set if the last member was popped.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("spublish", 3, Flags::FAST | Flags::LOADING | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::FAST | Categories::PUBSUB)
        .docs(
            "7.0.0",
            "pubsub",
            "O(N) where N is the number of clients subscribed to the \
receiving shard channel.",
            "Posts a message to a shard channel.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::NOT_KEY,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("srandmember", -2, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "1.0.0",
            "set",
            "Without the count argument O(1), otherwise O(N) where N is \
the absolute value of the passed count.",
            "Gets one or multiple random members from a set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("srem", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SET | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "O(N) where N is the number of members to be removed.",
            "Removes one or more members from a set. Deletes the set if \
the last member was removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("sscan", -3, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "2.8.0",
            "set",
            "O(1) for every call. O(N) for a complete iteration, \
including enough command calls for the cursor to return back \
to 0. N is the number of elements inside the collection.",
            "Iterates over members of a set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("ssubscribe", -2, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "7.0.0",
            "pubsub",
            "O(N) where N is the number of shard channels to subscribe \
to.",
            "Listens for messages published to shard channels.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::NOT_KEY,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )]),
    Spec::new("strlen", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::STRING)
        .docs("2.2.0", "string", "O(1)", "Returns the length of a string value.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("subscribe", -2, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "2.0.0",
            "pubsub",
            "O(N) where N is the number of channels to subscribe to.",
            "Listens for messages published to channels.",
        ),
    Spec::new("substr", 4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STRING)
        .docs(
            "1.0.0",
            "string",
            "O(N) where N is the length of the returned string. The \
complexity is ultimately determined by the returned length, \
but because creating a substring from an existing string is \
very cheap, it can be considered O(1) for small strings.",
            "Returns a substring from a string value.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("sunion", -2, Flags::READONLY)
        .acl(Categories::READ | Categories::SET | Categories::SLOW)
        .docs(
            "1.0.0",
            "set",
            "O(N) where N is the total number of elements in all given \
sets.",
            "Returns the union of multiple sets.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output_order"]),
    Spec::new("sunionstore", -3, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SET | Categories::SLOW | Categories::WRITE)
        .docs(
            "1.0.0",
            "set",
            "O(N) where N is the total number of elements in all given \
sets.",
            "Stores the union of multiple sets in a key.",
        )
        .positions(1, -1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: -1, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("sunsubscribe", -1, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "7.0.0",
            "pubsub",
            "O(N) where N is the number of shard channels to unsubscribe.",
            "Stops listening to messages posted to shard channels.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::NOT_KEY,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )]),
    Spec::new("swapdb", 3, Flags::FAST | Flags::WRITE)
        .acl(Categories::DANGEROUS | Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs(
            "4.0.0",
            "server",
            "O(N) where N is the count of clients watching or blocking on \
keys from both databases.",
            "Swaps two databases.",
        ),
    Spec::new("sync", 1, Flags::ADMIN | Flags::NO_ASYNC_LOADING | Flags::NO_MULTI | Flags::NOSCRIPT)
        .acl(Categories::ADMIN | Categories::DANGEROUS | Categories::SLOW)
        .docs("1.0.0", "server", "", "An internal command used in replication."),
    Spec::new("time", 1, Flags::FAST | Flags::LOADING | Flags::STALE)
        .acl(Categories::FAST)
        .docs("2.6.0", "server", "O(1)", "Returns the server time.")
        .tips(&["nondeterministic_output"]),
    Spec::new("touch", -2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs(
            "3.2.1",
            "generic",
            "O(N) where N is the number of keys that will be touched.",
            "Returns the number of existing keys out of those specified \
after updating the time they were last accessed.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: -1, step: 1, limit: 0 })])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Spec::new("ttl", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs("1.0.0", "generic", "O(1)", "Returns the expiration time in seconds of a key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("type", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::READ)
        .docs("1.0.0", "generic", "O(1)", "Determines the type of value stored at a key.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("unlink", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::KEYSPACE | Categories::WRITE)
        .docs(
            "4.0.0",
            "generic",
            "O(1) for each key removed regardless of its size. Then the \
command does O(N) work in a different thread in order to \
reclaim memory, where N is the number of allocations the \
deleted objects where composed of.",
            "Asynchronously deletes one or more keys.",
        )
        .positions(1, -1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RM | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: -1, step: 1, limit: 0 },
        )])
        .tips(&["request_policy:multi_shard", "response_policy:agg_sum"]),
    Spec::new("unsubscribe", -1, Flags::LOADING | Flags::NOSCRIPT | Flags::PUBSUB | Flags::STALE)
        .acl(Categories::PUBSUB | Categories::SLOW)
        .docs(
            "2.0.0",
            "pubsub",
            "O(N) where N is the number of channels to unsubscribe.",
            "Stops listening to messages posted to channels.",
        ),
    Spec::new(
        "unwatch",
        1,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::FAST | Categories::TRANSACTION)
    .docs("2.2.0", "transactions", "O(1)", "Forgets about watched keys of a transaction."),
    Spec::new("wait", 3, Flags::BLOCKING)
        .acl(Categories::BLOCKING | Categories::CONNECTION | Categories::SLOW)
        .docs(
            "3.0.0",
            "generic",
            "O(1)",
            "Blocks until the asynchronous replication of all preceding \
write commands sent by the connection is completed.",
        )
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    Spec::new("waitaof", 4, Flags::BLOCKING)
        .acl(Categories::BLOCKING | Categories::CONNECTION | Categories::SLOW)
        .docs(
            "7.2.0",
            "generic",
            "O(1)",
            "Blocks until all of the preceding write commands sent by the \
connection are written to the append-only file of the \
primary and/or replicas.",
        )
        .tips(&["request_policy:all_shards", "response_policy:agg_min"]),
    Spec::new(
        "watch",
        -2,
        Flags::ALLOW_BUSY | Flags::FAST | Flags::LOADING | Flags::NO_MULTI | Flags::NOSCRIPT | Flags::STALE,
    )
    .acl(Categories::FAST | Categories::TRANSACTION)
    .docs(
        "2.2.0",
        "transactions",
        "O(1) for every key.",
        "Monitors changes to keys to determine the execution of a \
transaction.",
    )
    .positions(1, -1, 1)
    .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: -1, step: 1, limit: 0 })]),
    Spec::new("xack", -4, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "O(1) for each message ID processed.",
            "Returns the number of messages that were successfully \
acknowledged by the consumer group member of a stream.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xackdel", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "8.2.0",
            "stream",
            "O(1) for each message ID processed.",
            "Acknowledges and deletes one or multiple messages for a \
stream consumer group.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xadd", -5, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "O(1) when adding a new entry, O(N) when trimming where N \
being the number of entries evicted.",
            "Appends a new message to a stream. Creates the key if it \
doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )
        .notes(
            "UPDATE instead of INSERT because of the optional trimming \
feature",
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("xautoclaim", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "6.2.0",
            "stream",
            "O(1) if COUNT is small.",
            "Changes, or acquires, ownership of messages in a consumer \
group, as if the messages were delivered to a consumer group \
member.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("xclaim", -6, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "O(log N) with N being the number of messages in the PEL of \
the consumer group.",
            "Changes, or acquires, ownership of a message in a consumer \
group, as if the message was delivered to a consumer group \
member.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("xdel", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "O(1) for each single item to delete in the stream, \
regardless of the stream size.",
            "Returns the number of messages after removing them from a \
stream.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xdelex", -5, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs(
            "8.2.0",
            "stream",
            "O(1) for each single item to delete in the stream, \
regardless of the stream size.",
            "Deletes one or multiple entries from the stream.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xgroup", -2, 0)
        .acl(Categories::SLOW)
        .docs("5.0.0", "stream", "Depends on subcommand.", "A container for consumer groups commands.")
        .subcommands(&[
            Spec::new("xgroup|create", -5, Flags::DENYOOM | Flags::WRITE)
                .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
                .docs("5.0.0", "stream", "O(1)", "Creates a consumer group.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RW | KeyFlags::INSERT,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
            Spec::new("xgroup|createconsumer", 5, Flags::DENYOOM | Flags::WRITE)
                .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
                .docs("6.2.0", "stream", "O(1)", "Creates a consumer in a consumer group.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RW | KeyFlags::INSERT,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
            Spec::new("xgroup|delconsumer", 5, Flags::WRITE)
                .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
                .docs("5.0.0", "stream", "O(1)", "Deletes a consumer from a consumer group.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RW | KeyFlags::DELETE,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
            Spec::new("xgroup|destroy", 4, Flags::WRITE)
                .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
                .docs(
                    "5.0.0",
                    "stream",
                    "O(N) where N is the number of entries in the group's pending \
entries list (PEL).",
                    "Destroys a consumer group.",
                )
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RW | KeyFlags::DELETE,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
            Spec::new("xgroup|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW | Categories::STREAM)
                .docs("5.0.0", "stream", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("xgroup|setid", -5, Flags::WRITE)
                .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
                .docs("5.0.0", "stream", "O(1)", "Sets the last-delivered ID of a consumer group.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RW | KeyFlags::UPDATE,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
        ]),
    Spec::new("xinfo", -2, 0)
        .acl(Categories::SLOW)
        .docs("5.0.0", "stream", "Depends on subcommand.", "A container for stream introspection commands.")
        .subcommands(&[
            Spec::new("xinfo|consumers", 4, Flags::READONLY)
                .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
                .docs("5.0.0", "stream", "O(1)", "Returns a list of the consumers in a consumer group.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO | KeyFlags::ACCESS,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )])
                .tips(&["nondeterministic_output"]),
            Spec::new("xinfo|groups", 3, Flags::READONLY)
                .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
                .docs("5.0.0", "stream", "O(1)", "Returns a list of the consumer groups of a stream.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO | KeyFlags::ACCESS,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
            Spec::new("xinfo|help", 2, Flags::LOADING | Flags::STALE)
                .acl(Categories::SLOW | Categories::STREAM)
                .docs("5.0.0", "stream", "O(1)", "Returns helpful text about the different subcommands."),
            Spec::new("xinfo|stream", -3, Flags::READONLY)
                .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
                .docs("5.0.0", "stream", "O(1)", "Returns information about a stream.")
                .positions(2, 2, 1)
                .keys(&[KeySpec::new(
                    KeyFlags::RO | KeyFlags::ACCESS,
                    Begin::Index(2),
                    Find::Range { last: 0, step: 1, limit: 0 },
                )]),
        ]),
    Spec::new("xlen", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::STREAM)
        .docs("5.0.0", "stream", "O(1)", "Returns the number of messages in a stream.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("xpending", -3, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
        .docs(
            "5.0.0",
            "stream",
            "O(N) with N being the number of elements returned, so asking \
for a small fixed number of entries per call is O(1). O(M), \
where M is the total number of entries scanned when used \
with the IDLE filter. When the command returns just the \
summary and the list of consumers is small, it runs in O(1) \
time; otherwise, an additional O(N) time for iterating every \
consumer.",
            "Returns the information and entries from a stream consumer \
group's pending entries list.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("xrange", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
        .docs(
            "5.0.0",
            "stream",
            "O(N) with N being the number of elements being returned. If \
N is constant (e.g. always asking for the first 10 elements \
with COUNT), you can consider it O(1).",
            "Returns the messages from a stream within a range of IDs.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xread", -4, Flags::BLOCKING | Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::BLOCKING | Categories::READ | Categories::SLOW | Categories::STREAM)
        .docs(
            "5.0.0",
            "stream",
            "",
            "Returns messages from multiple streams with IDs greater than \
the ones requested. Blocks until a message is available \
otherwise.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Keyword("STREAMS", 1),
            Find::Range { last: -1, step: 1, limit: 2 },
        )]),
    Spec::new("xreadgroup", -7, Flags::BLOCKING | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::BLOCKING | Categories::SLOW | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "For each stream mentioned: O(M) with M being the number of \
elements returned. If M is constant (e.g. always asking for \
the first 10 elements with COUNT), you can consider it O(1). \
On the other side when XREADGROUP blocks, XADD will pay the \
O(N) time in order to serve the N clients blocked on the \
stream getting new data.",
            "Returns new or historical messages from a stream for a \
consumer in a group. Blocks until a message is available \
otherwise.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Keyword("STREAMS", 4),
            Find::Range { last: -1, step: 1, limit: 2 },
        )]),
    Spec::new("xrevrange", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::STREAM)
        .docs(
            "5.0.0",
            "stream",
            "O(N) with N being the number of elements returned. If N is \
constant (e.g. always asking for the first 10 elements with \
COUNT), you can consider it O(1).",
            "Returns the messages from a stream within a range of IDs in \
reverse order.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xsetid", -3, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::STREAM | Categories::WRITE)
        .docs("5.0.0", "stream", "O(1)", "An internal command for replicating stream values.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("xtrim", -4, Flags::WRITE)
        .acl(Categories::SLOW | Categories::STREAM | Categories::WRITE)
        .docs(
            "5.0.0",
            "stream",
            "O(N), with N being the number of evicted entries. Constant \
times are very small however, since entries are organized in \
macro nodes containing multiple entries that can be released \
with a single deallocation.",
            "Deletes messages from the beginning of a stream.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("zadd", -4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(log(N)) for each item added, where N is the number of \
elements in the sorted set.",
            "Adds one or more members to a sorted set, or updates their \
scores. Creates the key if it doesn't exist.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zcard", 2, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs("1.2.0", "sorted-set", "O(1)", "Returns the number of members in a sorted set.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(KeyFlags::RO, Begin::Index(1), Find::Range { last: 0, step: 1, limit: 0 })]),
    Spec::new("zcount", 4, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(log(N)) with N being the number of elements in the sorted \
set.",
            "Returns the count of members in a sorted set that have \
scores within a range.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zdiff", -3, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(L + (N-K)log(N)) worst case where L is the total number of \
elements in all the sets, N is the size of the first set, \
and K is the size of the result set.",
            "Returns the difference between multiple sorted sets.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("zdiffstore", -4, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(L + (N-K)log(N)) worst case where L is the total number of \
elements in all the sets, N is the size of the first set, \
and K is the size of the result set.",
            "Stores the difference of multiple sorted sets in a key.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Keynum { count_at: 0, first: 1, step: 1 },
            ),
        ]),
    Spec::new("zincrby", 4, Flags::DENYOOM | Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(log(N)) where N is the number of elements in the sorted \
set.",
            "Increments the score of a member in a sorted set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::UPDATE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zinter", -3, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(N*K)+O(M*log(M)) worst case with N being the smallest \
input sorted set, K being the number of input sorted sets \
and M being the number of elements in the resulting sorted \
set.",
            "Returns the intersect of multiple sorted sets.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("zintercard", -3, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "7.0.0",
            "sorted-set",
            "O(N*K) worst case with N being the smallest input sorted \
set, K being the number of input sorted sets.",
            "Returns the number of members of the intersect of multiple \
sorted sets.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("zinterstore", -4, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(N*K)+O(M*log(M)) worst case with N being the smallest \
input sorted set, K being the number of input sorted sets \
and M being the number of elements in the resulting sorted \
set.",
            "Stores the intersect of multiple sorted sets in a key.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Keynum { count_at: 0, first: 1, step: 1 },
            ),
        ]),
    Spec::new("zlexcount", 4, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs(
            "2.8.9",
            "sorted-set",
            "O(log(N)) with N being the number of elements in the sorted \
set.",
            "Returns the number of members in a sorted set within a \
lexicographical range.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zmpop", -4, Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "7.0.0",
            "sorted-set",
            "O(K) + O(M*log(N)) where K is the number of provided keys, N \
being the number of elements in the sorted set, and M being \
the number of elements popped.",
            "Returns the highest- or lowest-scoring members from one or \
more sorted sets after removing them. Deletes the sorted set \
if the last member was popped.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("zmscore", -3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(N) where N is the number of members being requested.",
            "Returns the score of one or more members in a sorted set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zpopmax", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "5.0.0",
            "sorted-set",
            "O(log(N)*M) with N being the number of elements in the \
sorted set, and M being the number of elements popped.",
            "Returns the highest-scoring members from a sorted set after \
removing them. Deletes the sorted set if the last member was \
popped.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zpopmin", -2, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "5.0.0",
            "sorted-set",
            "O(log(N)*M) with N being the number of elements in the \
sorted set, and M being the number of elements popped.",
            "Returns the lowest-scoring members from a sorted set after \
removing them. Deletes the sorted set if the last member was \
popped.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::ACCESS | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrandmember", -2, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(N) where N is the number of members returned",
            "Returns one or more random members from a sorted set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("zrange", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements returned.",
            "Returns members in a sorted set within a range of indexes.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrangebylex", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "2.8.9",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements being returned. If M \
is constant (e.g. always asking for the first 10 elements \
with LIMIT), you can consider it O(log(N)).",
            "Returns members in a sorted set within a lexicographical \
range.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrangebyscore", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "1.0.5",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements being returned. If M \
is constant (e.g. always asking for the first 10 elements \
with LIMIT), you can consider it O(log(N)).",
            "Returns members in a sorted set within a range of scores.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrangestore", -5, Flags::DENYOOM | Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements stored into the \
destination key.",
            "Stores a range of members from sorted set in a key.",
        )
        .positions(1, 2, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
        ]),
    Spec::new("zrank", -3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(log(N))",
            "Returns the index of a member in a sorted set ordered by \
ascending scores.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrem", -3, Flags::FAST | Flags::WRITE)
        .acl(Categories::FAST | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(M*log(N)) with N being the number of elements in the \
sorted set and M the number of elements to be removed.",
            "Removes one or more members from a sorted set. Deletes the \
sorted set if all members were removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zremrangebylex", 4, Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "2.8.9",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements removed by the \
operation.",
            "Removes members in a sorted set within a lexicographical \
range. Deletes the sorted set if all members were removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zremrangebyrank", 4, Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements removed by the \
operation.",
            "Removes members in a sorted set within a range of indexes. \
Deletes the sorted set if all members were removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zremrangebyscore", 4, Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements removed by the \
operation.",
            "Removes members in a sorted set within a range of scores. \
Deletes the sorted set if all members were removed.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RW | KeyFlags::DELETE,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrevrange", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "1.2.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements returned.",
            "Returns members in a sorted set within a range of indexes in \
reverse order.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrevrangebylex", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "2.8.9",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements being returned. If M \
is constant (e.g. always asking for the first 10 elements \
with LIMIT), you can consider it O(log(N)).",
            "Returns members in a sorted set within a lexicographical \
range in reverse order.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrevrangebyscore", -4, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "2.2.0",
            "sorted-set",
            "O(log(N)+M) with N being the number of elements in the \
sorted set and M the number of elements being returned. If M \
is constant (e.g. always asking for the first 10 elements \
with LIMIT), you can consider it O(log(N)).",
            "Returns members in a sorted set within a range of scores in \
reverse order.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zrevrank", -3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(log(N))",
            "Returns the index of a member in a sorted set ordered by \
descending scores.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zscan", -3, Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "2.8.0",
            "sorted-set",
            "O(1) for every call. O(N) for a complete iteration, \
including enough command calls for the cursor to return back \
to 0. N is the number of elements inside the collection.",
            "Iterates over members and scores of a sorted set.",
        )
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )])
        .tips(&["nondeterministic_output"]),
    Spec::new("zscore", 3, Flags::FAST | Flags::READONLY)
        .acl(Categories::FAST | Categories::READ | Categories::SORTEDSET)
        .docs("1.2.0", "sorted-set", "O(1)", "Returns the score of a member in a sorted set.")
        .positions(1, 1, 1)
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Range { last: 0, step: 1, limit: 0 },
        )]),
    Spec::new("zunion", -3, Flags::MOVABLEKEYS | Flags::READONLY)
        .acl(Categories::READ | Categories::SLOW | Categories::SORTEDSET)
        .docs(
            "6.2.0",
            "sorted-set",
            "O(N)+O(M*log(M)) with N being the sum of the sizes of the \
input sorted sets, and M being the number of elements in the \
resulting sorted set.",
            "Returns the union of multiple sorted sets.",
        )
        .keys(&[KeySpec::new(
            KeyFlags::RO | KeyFlags::ACCESS,
            Begin::Index(1),
            Find::Keynum { count_at: 0, first: 1, step: 1 },
        )]),
    Spec::new("zunionstore", -4, Flags::DENYOOM | Flags::MOVABLEKEYS | Flags::WRITE)
        .acl(Categories::SLOW | Categories::SORTEDSET | Categories::WRITE)
        .docs(
            "2.0.0",
            "sorted-set",
            "O(N)+O(M log(M)) with N being the sum of the sizes of the \
input sorted sets, and M being the number of elements in the \
resulting sorted set.",
            "Stores the union of multiple sorted sets in a key.",
        )
        .positions(1, 1, 1)
        .keys(&[
            KeySpec::new(
                KeyFlags::OW | KeyFlags::UPDATE,
                Begin::Index(1),
                Find::Range { last: 0, step: 1, limit: 0 },
            ),
            KeySpec::new(
                KeyFlags::RO | KeyFlags::ACCESS,
                Begin::Index(2),
                Find::Keynum { count_at: 0, first: 1, step: 1 },
            ),
        ]),
];
