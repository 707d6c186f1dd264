//! Documents: what they link to is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where documents are.
const FOLDERS: [&str; 12] = [
    "",
    "docs",
    "docs/bench",
    "docs/bench/beside",
    "docs/bench/close",
    "docs/bench/fresh",
    "docs/bench/grid",
    "docs/bench/large",
    "docs/bench/lone",
    "docs/bench/pinned",
    "docs/bench/transactions",
    "docs/bench/unix",
];

/// All Markdown files of the project, without what is built or installed.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in FOLDERS {
        let entries = fs::read_dir(root.join(folder)).expect("a folder of the project");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|kind| kind == "md")));
    }
    found
}

/// What links and pictures in `text` lead to, but for other hosts.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    ends.map(|(target, _)| target).filter(|target| !target.contains("://"))
}

/// Whether `text` has a heading or a mark that a link names so.
fn has_anchor(text: &str, anchor: &str) -> bool {
    let slug = |line: &str| line.trim_matches(['#', ' ']).to_lowercase().replace(' ', "-");
    text.contains(&format!("<a id=\"{anchor}\">"))
        || text.lines().any(|line| line.starts_with('#') && slug(line) == anchor)
}

#[test]
fn links_lead_somewhere() {
    let (mut links, mut broken) = (0, Vec::new());
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        for target in targets(&text) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { document.clone() } else { document.with_file_name(file) };
            let leads = match anchor {
                "" => file.exists(),
                anchor => fs::read_to_string(&file).is_ok_and(|text| has_anchor(&text, anchor)),
            };
            links += 1;
            if !leads {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(links > 20, "{links} links found");
    assert!(broken.is_empty(), "{broken:#?}");
}
