//! What is wrong with a command line, in words for stderr.

use std::ffi::OsString;

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::Cli;
use crate::capture::query::filter::FilterError;

/// The error of the command line `words`, in one line: clap's sentence, its tips, and the help to read.
pub fn usage_line(error: &clap::Error, words: impl IntoIterator<Item = OsString>) -> String {
    let cli = Cli::command();
    let command = words.into_iter().skip(1).find_map(|word| Some(cli.find_subcommand(&word)?.get_name()));
    let rendered = error.render().to_string();
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
            Some("proxy") => "; or use --forward to relay to the server that each request names",
            _ => "",
        });
    }
    if command == Some("ca") && error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        "ca needs one of: create, show, path, remove".clone_into(&mut line);
    }
    let (command, line) = (command.map(|name| format!(" {name}")).unwrap_or_default(), without_user(&line));
    format!("{line}; try `framescope{command} --help`")
}

/// Replaces the name and password in a URL by stars.
fn without_user(line: &str) -> String {
    let Some((before, rest)) = line.split_once("://") else { return line.to_owned() };
    let authority = rest.split(['/', '?', '\'', ' ']).next().unwrap_or_default();
    let shown = authority.rsplit_once('@').map_or(rest.to_owned(), |(user, _)| format!("***{}", &rest[user.len()..]));
    format!("{before}://{shown}")
}

/// Two lines that show where a filter is wrong: the expression, and carets under the wrong word. `None` if the error is not
/// about a filter.
pub fn filter_carets(error: &clap::Error) -> Option<[String; 2]> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<FilterError>().map(FilterError::carets)
}
