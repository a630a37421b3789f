//! What is wrong with a command line, in words for stderr.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Cli;
use crate::capture::query::filter::FilterError;

/// The error of the command line `words`, in one line: clap's sentence, its tips, and the help to read.
pub fn usage_line(error: &clap::Error, words: impl IntoIterator<Item = OsString>) -> String {
    let cli = Cli::command();
    let command = words.into_iter().skip(1).find_map(|word| Some(cli.find_subcommand(&word)?.get_name()));
    let rendered = without_users(error);
    let message = rendered.split("\nUsage: ").next().unwrap_or_default();
    let mut line = String::new();
    let parts = message.lines().map(str::trim);
    for part in parts.filter(|part| !part.is_empty() && !part.starts_with("For more information")) {
        let part = part.strip_prefix("error: ").unwrap_or(part);
        match (part.strip_prefix("tip: "), part.strip_prefix('[').and_then(|values| values.strip_suffix(']'))) {
            _ if line.is_empty() => line.push_str(part),
            (Some(tip), _) => line.push_str(&format!("; {tip}")),
            (_, Some(values)) => line.push_str(&format!(" ({values})")),
            _ if line.ends_with(':') => line.push_str(&format!(" {part}")),
            _ => line.push_str(&format!(", {part}")),
        }
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        line.push_str(match command {
            Some("open") => "; or use --sample to list the sample captures",
            Some("proxy") if lacks(error, "<TARGET>") => {
                "; or use --forward to relay to the server that each request names"
            }
            _ => "",
        });
    }
    if command == Some("ca") && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        "ca needs one of: create, show, path, remove".clone_into(&mut line);
    }
    let command = command.map(|name| format!(" {name}")).unwrap_or_default();
    format!("{line}; try `framescope{command} --help`")
}

/// Renders an error. Replaces the user name and password in each value by stars.
fn without_users(error: &clap::Error) -> String {
    let mut rendered = error.render().to_string();
    // A filter may look for an @. Its error shows the whole filter.
    if filter_carets(error).is_some() {
        return rendered;
    }
    for (_, value) in error.context() {
        let ContextValue::String(value) = value else { continue };
        let Some(user) = user_info(value) else { continue };
        // clap prints a value that contains a space in its debug form.
        let escaped = format!("{user:?}");
        for form in [user, escaped.trim_matches('"')] {
            rendered = rendered.replace(&format!("{form}@"), "***@");
        }
    }
    rendered
}

/// Returns what may be the user name and password of a URL: the text from the beginning of the authority to the last `@`. A
/// password that is not escaped can contain every character, and a mistyped URL may have no scheme.
fn user_info(value: &str) -> Option<&str> {
    let (before, _) = value.rsplit_once('@')?;
    let is_scheme = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_start = |start: &str| start.is_empty() || start.strip_suffix(':').is_some_and(is_scheme);
    let user = before.split_once("//").filter(|(start, _)| is_start(start)).map_or(before, |(_, user)| user);
    Some(user).filter(|user| !user.is_empty())
}

/// Whether a required argument is missing.
fn lacks(error: &clap::Error, argument: &str) -> bool {
    let missing = error.get(ContextKind::InvalidArg);
    matches!(missing, Some(ContextValue::Strings(names)) if names.iter().any(|name| name == argument))
}

/// Two lines that show where a filter is wrong: the expression, and carets under the wrong word. `None` if the error is not
/// about a filter.
pub fn filter_carets(error: &clap::Error) -> Option<[String; 2]> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<FilterError>().map(FilterError::carets)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn line(words: &[&str]) -> String {
        let error = Cli::try_parse_from(words).expect_err("wrong usage");
        usage_line(&error, words.iter().map(OsString::from))
    }

    #[test]
    fn no_form_of_a_password_is_printed() {
        for url in [
            "ws://joe7:s3cr3t@host",
            "ws://joe7:s3c/r3t@host",
            "ws://joe7:s3c?r3t@host",
            "ws://joe7:s3c#r3t@host",
            "ws://joe7:s3c'r3t@host",
            "ws://joe7:s3c@r3t@host",
            "ws://joe7:s3c//r3t@host",
            "ws://joe7:s3c r3t@host",
            "ws://joe7:s3c\"r r3t@host",
            "ws:/joe7:s3cr3t@host",
            "//joe7:s3cr3t@host",
            "joe7:s3cr3t@host",
            "joe7:s3c//r3t@host",
        ] {
            let to = format!("--to={url}");
            for words in [
                vec!["framescope", "connect", url],
                vec!["framescope", "proxy", url],
                vec!["framescope", "replay", "a.pcapng", &to],
                vec!["framescope", "tour", url],
                vec!["framescope", url],
            ] {
                let line = line(&words);
                assert!(line.contains("***@host"), "{line}");
                assert!(["joe7", "s3c", "r3t"].iter().all(|part| !line.contains(part)), "{line}");
            }
        }
    }

    #[test]
    fn a_value_without_a_user_is_printed() {
        assert!(line(&["framescope", "connect", "ftp://host/a"]).contains("'ftp://host/a'"));
        let filter = line(&["framescope", "check", "a.pcapng", "--filter", "text ~ me@host )"]);
        assert!(filter.contains("me@host"), "{filter}");
    }
}
