//! The little that a node knows by itself: strings.

use std::collections::HashMap;

/// Keys and values of the whole scripted cluster.
pub(super) type Store = HashMap<Vec<u8>, Vec<u8>>;

/// The reply to a request, in a form both protocol versions share; nil differs.
pub(super) fn answer(store: &mut Store, args: &[Vec<u8>], resp3: bool) -> Vec<u8> {
    let name = String::from_utf8_lossy(&args[0]).to_ascii_uppercase();
    match (name.as_str(), args.len()) {
        ("GET", 2) => bulk(store.get(&args[1]), resp3),
        ("MGET", _) => {
            let values: Vec<u8> = args[1..].iter().flat_map(|key| bulk(store.get(key), resp3)).collect();
            [format!("*{}\r\n", args.len() - 1).into_bytes(), values].concat()
        }
        ("SET", 3..) => {
            store.insert(args[1].clone(), args[2].clone());
            b"+OK\r\n".to_vec()
        }
        ("MSET", _) => {
            store.extend(args[1..].chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())));
            b"+OK\r\n".to_vec()
        }
        ("APPEND", 3) => {
            let value = store.entry(args[1].clone()).or_default();
            value.extend_from_slice(&args[2]);
            format!(":{}\r\n", value.len()).into_bytes()
        }
        ("INCR", 2) => increment(store, &args[1]),
        ("EXISTS" | "TOUCH", _) => count(args[1..].iter().filter(|key| store.contains_key(*key)).count()),
        ("DEL" | "UNLINK", _) => count(args[1..].iter().filter_map(|key| store.remove(key)).count()),
        _ => b"+OK\r\n".to_vec(),
    }
}

fn increment(store: &mut Store, key: &[u8]) -> Vec<u8> {
    let value = store.entry(key.to_vec()).or_insert_with(|| b"0".to_vec());
    let number: i64 = String::from_utf8_lossy(value).parse().unwrap_or(0);
    *value = (number + 1).to_string().into_bytes();
    format!(":{}\r\n", number + 1).into_bytes()
}

fn count(number: usize) -> Vec<u8> {
    format!(":{number}\r\n").into_bytes()
}

fn bulk(value: Option<&Vec<u8>>, resp3: bool) -> Vec<u8> {
    match value {
        Some(value) => [format!("${}\r\n", value.len()).as_bytes(), value, b"\r\n"].concat(),
        None if resp3 => b"_\r\n".to_vec(),
        None => b"$-1\r\n".to_vec(),
    }
}
