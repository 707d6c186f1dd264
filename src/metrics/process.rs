//! What the kernel says of this process, under the names that every Prometheus client uses.
//!
//! Must not know slotway. Invariant: what can't be read is left out.

use std::fs;

use super::text::Page;

/// Clock ticks per second in `/proc`: `USER_HZ`, which Linux keeps at 100 on every architecture we
/// build for.
const TICKS: f64 = 100.0;

/// Resident memory of this process in bytes; 0 where the kernel does not tell.
pub fn resident_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    word_after(&status, "VmRSS:").and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// Appends the `process_*` metrics.
pub(super) fn process(page: &mut Page) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let boot = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields = [
        ("process_cpu_seconds_total", "counter", "User and system CPU time.", cpu_seconds(&stat)),
        ("process_resident_memory_bytes", "gauge", "Resident memory.", kibibytes(&status, "VmRSS:")),
        ("process_virtual_memory_bytes", "gauge", "Virtual memory.", kibibytes(&status, "VmSize:")),
        ("process_open_fds", "gauge", "Open file descriptors.", open_fds()),
        ("process_max_fds", "gauge", "File descriptors it may open.", max_fds(&limits)),
        ("process_start_time_seconds", "gauge", "Start, in seconds since 1970.", started(&stat, &boot)),
    ];
    for (name, kind, help, value) in fields {
        value.into_iter().for_each(|v| page.single(name, kind, help, v));
    }
}

/// Field `number` of `/proc/self/stat` as proc(5) numbers them, from 3 on: the second field is a name in
/// brackets that may hold anything.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS)
}

fn started(stat: &str, boot: &str) -> Option<f64> {
    let boot: f64 = word_after(boot, "btime")?.parse().ok()?;
    Some(boot + field(stat, 22)? / TICKS)
}

fn kibibytes(status: &str, key: &str) -> Option<f64> {
    word_after(status, key)?.parse::<f64>().ok().map(|kib| kib * 1024.0)
}

fn max_fds(limits: &str) -> Option<f64> {
    match word_after(limits, "Max open files")? {
        "unlimited" => Some(f64::INFINITY),
        soft => soft.parse().ok(),
    }
}

fn open_fds() -> Option<f64> {
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    u32::try_from(open).ok().map(f64::from)
}

fn word_after<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key))?.split_ascii_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_and_spaces_does_not_shift_the_fields() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 4 0 12345 1 1";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(started(stat, "cpu 1\nbtime 1000\n"), Some(1123.45));
        assert_eq!(cpu_seconds(""), None);
    }

    #[test]
    fn limits_and_sizes_are_read() {
        assert_eq!(max_fds("Max open files            1024                 4096   files\n"), Some(1024.0));
        assert_eq!(kibibytes("VmSize:\t  12 kB\nVmRSS:\t 8 kB\n", "VmRSS:"), Some(8192.0));
    }

    #[test]
    fn this_process_has_all_of_them() {
        let mut page = Page::default();
        process(&mut page);
        assert_eq!(page.finish().matches("# TYPE").count(), 6);
    }
}
