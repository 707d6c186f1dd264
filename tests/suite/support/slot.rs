//! Slots, computed bit by bit as the cluster specification words them: an oracle, not a fast one.

/// How many slots a cluster has.
pub(crate) const SLOTS: u16 = 16384;

/// The slot of `key`.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    crc16(tag_of(key)) % SLOTS
}

/// A key named after `prefix` that lies in `slot`.
pub(crate) fn key_in(slot: u16, prefix: &str) -> String {
    (0..u32::MAX)
        .map(|n| format!("{prefix}:{n}"))
        .find(|key| slot_of(key.as_bytes()) == slot)
        .expect("some number lands in every slot")
}

/// What makes a node the owner of `slots`: the form that all servers know.
pub(crate) fn add_slots(slots: impl Iterator<Item = u16>) -> String {
    slots.fold("CLUSTER ADDSLOTS".to_owned(), |line, slot| format!("{line} {slot}"))
}

fn tag_of(key: &[u8]) -> &[u8] {
    let Some(open) = key.iter().position(|&byte| byte == b'{') else { return key };
    let rest = &key[open + 1..];
    match rest.iter().position(|&byte| byte == b'}') {
        None | Some(0) => key,
        Some(close) => &rest[..close],
    }
}

fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ (u16::from(byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
        })
    })
}

#[test]
fn the_slots_of_the_specification() {
    assert_eq!(slot_of(b"name"), 5798);
    assert_eq!(slot_of(b"123456789"), 0x31C3);
    assert_eq!(slot_of(b"{user}.a"), slot_of(b"user"));
    assert_eq!(slot_of(b"a{}b"), crc16(b"a{}b") % SLOTS);
    assert_eq!(slot_of(b"a{{b}}"), slot_of(b"{b"));
    assert_eq!(slot_of(key_in(77, "k").as_bytes()), 77);
}
