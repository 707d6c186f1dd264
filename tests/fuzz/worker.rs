//! A whole worker whose client and nodes say anything.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| slotway::worker::sim::fuzz(bytes));
