//! Paths and arguments as words of a shell command, to copy from a message.

use std::path::Path;

/// Quotes a path for a POSIX shell where needed. `~` at its start and `*` in it keep their meaning for the shell.
pub fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let (home, rest) = match path.strip_prefix("~/") {
        Some(rest) => ("~/", rest),
        None => ("", path.as_str()),
    };
    let quoted_part = |part: &str| if part.is_empty() { String::new() } else { word(part) };
    let parts: Vec<String> = rest.split('*').map(quoted_part).collect();
    format!("{home}{}", parts.join("*"))
}

/// Quotes an argument for a POSIX shell where needed.
pub fn word(argument: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    match !argument.is_empty() && argument.chars().all(is_plain) {
        true => argument.to_owned(),
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_change_is_quoted() {
        let quoted = |path: &str| quoted(Path::new(path));
        assert_eq!(quoted("~/.cache/framescope/live-1.*.pcapng"), "~/.cache/framescope/live-1.*.pcapng");
        assert_eq!(quoted("~/my cache/live-1.*.pcapng"), "~/'my cache/live-1.'*.pcapng");
        assert_eq!(quoted("/tmp/it's/a.pcapng"), r"'/tmp/it'\''s/a.pcapng'");
        assert_eq!((word(""), word("~/*")), ("''".to_owned(), "'~/*'".to_owned()));
    }
}
