//! Text in lines for stdout.

use unicode_width::UnicodeWidthStr as _;

/// The most columns of a line.
const WIDTH: usize = 100;

/// Text in lines of at most [`WIDTH`] columns, each with an indent.
pub fn wrapped(indent: &str, text: &str) -> String {
    let mut out = String::new();
    let mut line = indent.to_owned();
    for word in text.split_whitespace() {
        if line.width() + 1 + word.width() > WIDTH && line.len() > indent.len() {
            out.push_str(&line);
            out.push('\n');
            line = indent.to_owned();
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&line);
    out.push('\n');
    out
}
