//! The output of `tshark -z follow,tcp,raw` or `follow,tls,raw`: hex lines, those of node 1 after a tab.

use super::Recognized;
use super::conversation::Sided;
use super::error::{PasteError, Place};
use super::hex;

/// Reads the bytes of both nodes. `None` without tshark's lines `Follow:` or `Node 0:`, and for `follow,…,hex`, which is a dump.
///
/// # Errors
/// The stream is not in raw form, there is more than one, or a line is damaged.
pub(super) fn read(text: &str) -> Recognized<Vec<Sided>> {
    let field = |line: &str, name: &str| line.strip_prefix(name).map(|value| value.trim().to_owned());
    let mut modes = text.lines().filter_map(|line| field(line, "Follow: "));
    let has_nodes = text.lines().any(|line| line.starts_with("Node 0: ") || line.starts_with("Node 1: "));
    let mode = modes.next();
    match mode.as_deref().and_then(|mode| mode.rsplit_once(',')) {
        None if !has_nodes => return None,
        Some((_, "hex")) => return None,
        _ => {}
    }
    let start = |line: &str| line.as_ptr() as usize - text.as_ptr() as usize;
    let error = |line: &str, what| Some(Err(PasteError::Follow { place: Place::of(text, start(line)), what }));
    let header = text.lines().find(|line| line.starts_with("Follow: ")).unwrap_or(text);
    if mode.is_some_and(|mode| !mode.ends_with(",raw")) {
        return error(header, "only the raw form has all bytes; use tshark -z follow,tcp,raw,0");
    }
    if modes.next().is_some() {
        return error(header, "there are several streams; paste one of them");
    }
    let is_header =
        |line: &str| ["===", "Follow: ", "Filter: ", "Node 0: ", "Node 1: "].iter().any(|s| line.starts_with(s));
    let mut said = Vec::new();
    for line in text.lines() {
        let digits = line.trim();
        if digits.is_empty() || is_header(line) {
            continue;
        }
        if let Some(wrong) = digits.find(|c: char| !c.is_ascii_hexdigit()) {
            let place = Place::of(text, start(digits) + wrong);
            return Some(Err(PasteError::Follow {
                place,
                what: "not a hex digit; paste tshark's output as it was printed",
            }));
        }
        if !digits.len().is_multiple_of(2) {
            return error(line, "the line has an odd number of hex digits; paste tshark's output as it was printed");
        }
        said.push(Sided { side: usize::from(line.starts_with([' ', '\t'])), bytes: hex::bytes(digits).collect() });
    }
    Some(Ok(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "\n=====\nFollow: tcp,raw\nFilter: tcp.stream eq 0\nNode 0: 127.0.0.1:80\nNode 1: :0\n";

    #[test]
    fn the_lines_of_node_1_have_a_tab() {
        let text = format!("{HEAD}\t8900\n8a00\n\t8101\n\t61\n=====\n");
        let said = |side, bytes: &[u8]| Sided { side, bytes: bytes.to_vec() };
        let expected = vec![said(1, &[0x89, 0]), said(0, &[0x8a, 0]), said(1, &[0x81, 1]), said(1, b"a")];
        assert_eq!(read(&text), Some(Ok(expected)));
        assert_eq!(read("\t8900\n8a00"), None);
    }

    #[test]
    fn damage_is_named_with_its_place() {
        for (text, line, character) in [
            (format!("{HEAD}\t8900\n8a0g\n"), 8, 4),
            (format!("{HEAD}\t890\n"), 7, 1),
            (format!("{HEAD}8900\n{HEAD}8900\n"), 3, 1),
            (HEAD.replace("raw", "ascii"), 3, 1),
        ] {
            let error = read(&text).expect("a stream").expect_err("damage");
            let PasteError::Follow { place, .. } = error else { panic!("{error}") };
            assert_eq!((place.line, place.character), (line, character), "{text}");
        }
    }
}
