//! What the user can do if no program captures.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::programs::Program;
use crate::cli;
use crate::run::shell;
use crate::wire::printable;

/// The bit of a file's mode that lets its group execute it.
const GROUP_EXECUTES: u32 = 0o010;

/// Why a program does not capture.
pub(super) enum Failure {
    NotInstalled,
    /// The user may not execute the program.
    NotExecutable {
        path: PathBuf,
        /// The group whose members may, if there is one.
        group: Option<String>,
    },
    Ended {
        path: PathBuf,
        why: String,
    },
}

impl Failure {
    /// The user may not execute the program.
    pub(super) fn not_executable(path: &Path) -> Self {
        Self::NotExecutable { path: path.to_owned(), group: executing_group(path) }
    }

    /// The program and the reason, if the user lacks a right.
    fn lacks_right(&self) -> Option<(&Path, String)> {
        match self {
            Self::NotExecutable { path, group: Some(group) } => {
                Some((path, format!("only the group {group} may execute it")))
            }
            Self::NotExecutable { path, group: None } => Some((path, "this user may not execute it".to_owned())),
            Self::Ended { path, why } if why.to_lowercase().contains("perm") => Some((path, why.clone())),
            Self::Ended { .. } | Self::NotInstalled => None,
        }
    }

    /// How to get the right for good.
    fn remedy(&self) -> Option<String> {
        match self {
            _ if !cfg!(target_os = "linux") => None,
            Self::NotExecutable { group: Some(group), .. } => Some(format!(
                "join this group with `sudo usermod -aG {} \"$USER\"` and log in again",
                shell::word(group)
            )),
            Self::Ended { path, .. } => {
                // setcap follows no symbolic link.
                let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
                let path = shell::word(&path.to_string_lossy());
                Some(format!(
                    "allow it for all users of this machine with `sudo setcap cap_net_raw,cap_net_admin=eip {path}`"
                ))
            }
            Self::NotExecutable { .. } | Self::NotInstalled => None,
        }
    }
}

/// What the user can do if no program captures, in one line. `command_line` is that of this run, as words of a shell.
pub(super) fn advice(args: &cli::Capture, failures: &[(&Program, Failure)], command_line: &str) -> String {
    let interface = printable::text(&args.source.interface);
    let lacking = || failures.iter().filter_map(|(program, failure)| Some((program, failure, failure.lacks_right()?)));
    // To join a group is what a distribution has prepared, and gives the right to one user alone.
    let is_for_group = |failure: &Failure| matches!(failure, Failure::NotExecutable { group: Some(_), .. });
    if let Some((_, failure, (path, why))) =
        lacking().find(|(_, failure, _)| is_for_group(failure)).or_else(|| lacking().next())
    {
        let mut advice = format!("cannot capture on {interface}: {}: {why}; ", path.display());
        if let Some(remedy) = failure.remedy() {
            let _ = write!(advice, "{remedy}, or ");
        }
        let command = lacking().next().map(|(program, _, (path, _))| with_sudo(args, program, path, command_line));
        let _ = write!(advice, "run `{}`", command.unwrap_or_default());
        return advice;
    }
    let ended = failures.iter().find_map(|(_, failure)| match failure {
        Failure::Ended { path, why } => Some((path, why)),
        _ => None,
    });
    match ended {
        Some((path, why)) => {
            let note = interfaces_note(&args.source.interface);
            format!("cannot capture on {interface}: {}: {why}{note}", path.display())
        }
        None => "no program that captures packets is installed; install tcpdump, or dumpcap of Wireshark".to_owned(),
    }
}

/// The command that does what this run should do, with sudo. Where `open` can take the place of `capture`, only the program that
/// captures gets the right.
fn with_sudo(args: &cli::Capture, program: &Program, path: &Path, command_line: &str) -> String {
    let recording = &args.recording;
    if recording.headless || recording.write.is_some() || recording.ring.is_some() {
        return format!("sudo {command_line}");
    }
    let mut command = format!("sudo {}", shell::word(&path.to_string_lossy()));
    for argument in program.arguments(&args.source) {
        let _ = write!(command, " {}", shell::word(&argument));
    }
    let _ = write!(command, " | framescope open --port {}", args.source.port);
    if args.deflate {
        command.push_str(" --deflate");
    }
    if let Some(key_log) = &args.key_log {
        let _ = write!(command, " --keylog {}", shell::word(&key_log.to_string_lossy()));
    }
    if let Some(filter) = &recording.filter {
        let _ = write!(command, " --filter {}", shell::word(filter.text()));
    }
    command + " -"
}

/// The group of a file, if its members may execute it.
fn executing_group(path: &Path) -> Option<String> {
    let file = fs::metadata(path).ok()?;
    // The group of root is not for users.
    let is_for_users = file.mode() & GROUP_EXECUTES != 0 && file.gid() != 0;
    let groups = fs::read_to_string("/etc/group").ok().filter(|_| is_for_users)?;
    group_named(&groups, file.gid())
}

/// The name of a group in the text of `/etc/group`.
fn group_named(groups: &str, id: u32) -> Option<String> {
    let id = id.to_string();
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    })
}

/// The network interfaces, if `wanted` is none of them; empty where the system does not list them in a folder.
fn interfaces_note(wanted: &str) -> String {
    let listed = fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> = listed.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    match names.is_empty() || wanted == "any" || names.iter().any(|name| name == wanted) {
        true => String::new(),
        false => format!("; the interfaces are {}, and any for all of them", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::programs::PROGRAMS;
    use super::*;

    fn advised(arguments: &str, failures: Vec<Failure>) -> String {
        let arguments = format!("framescope capture --port 9000 {arguments}");
        let parsed = cli::Cli::parse_from(arguments.split(' '));
        let Some(cli::Command::Capture(args)) = parsed.command else { panic!("capture: {arguments}") };
        advice(&args, &PROGRAMS.iter().zip(failures).collect::<Vec<_>>(), &arguments)
    }

    fn ended(path: &str, why: &str) -> Failure {
        Failure::Ended { path: path.into(), why: why.to_owned() }
    }

    #[test]
    fn a_program_without_the_right_is_run_with_sudo() {
        let perm = "Operation not permitted";
        let tcpdump = || ended("/no/tcpdump", perm);
        let advice = advised("-i eth9", vec![tcpdump(), ended("/no/dumpcap", perm)]);
        let command = "`sudo /no/tcpdump --immediate-mode -U -n -p -B 65536 -w - -i eth9 'tcp port 9000' | framescope open --port 9000 -`";
        assert!(advice.ends_with(command), "{advice}");
        assert_eq!(advice.contains("setcap cap_net_raw,cap_net_admin=eip /no/tcpdump`"), cfg!(target_os = "linux"));
        let advice = advised("-i any", vec![Failure::NotInstalled, ended("/no/dumpcap", perm)]);
        let command = "`sudo /no/dumpcap -q -p -B 64 -w - -i any -f 'tcp port 9000' | framescope open --port 9000 -`";
        assert!(advice.ends_with(command), "{advice}");
        let advice = advised("-i eth9 --deflate --keylog a'b --filter op==text", vec![tcpdump()]);
        assert!(advice.ends_with(r"--port 9000 --deflate --keylog 'a'\''b' --filter 'op==text' -`"), "{advice}");
        for flags in ["--headless --json", "--write f.pcap"] {
            let advice = advised(&format!("-i eth9 {flags}"), vec![tcpdump()]);
            assert!(advice.ends_with(&format!("`sudo framescope capture --port 9000 -i eth9 {flags}`")), "{advice}");
        }
    }

    #[test]
    fn a_program_that_only_a_group_may_execute_names_the_group() {
        let dumpcap = || Failure::NotExecutable { path: "/no/dumpcap".into(), group: Some("wireshark".to_owned()) };
        for tcpdump in [Failure::NotInstalled, ended("/no/tcpdump", "Operation not permitted")] {
            let has_tcpdump = !matches!(tcpdump, Failure::NotInstalled);
            let advice = advised("-i eth9", vec![tcpdump, dumpcap()]);
            assert!(advice.contains("/no/dumpcap: only the group wireshark may execute it"), "{advice}");
            assert_eq!(
                advice.contains("`sudo usermod -aG wireshark \"$USER\"`"),
                cfg!(target_os = "linux"),
                "{advice}"
            );
            assert!(!advice.contains("setcap"), "{advice}");
            assert_eq!(advice.contains("sudo /no/tcpdump"), has_tcpdump, "{advice}");
        }
        let nobody = Failure::NotExecutable { path: "/no/dumpcap".into(), group: None };
        let advice = advised("-i eth9", vec![Failure::NotInstalled, nobody]);
        assert!(
            !advice.contains("setcap") && !advice.contains("usermod") && advice.contains("sudo /no/dumpcap"),
            "{advice}"
        );
        let groups = "root:x:0:\nwireshark:x:117:user\n";
        assert_eq!(group_named(groups, 117).as_deref(), Some("wireshark"));
        assert_eq!(group_named(groups, 11), None);
    }

    #[test]
    fn other_failures_need_no_right() {
        let missing = advised("-i no", vec![ended("tcpdump", "No such device exists"), ended("dumpcap", "other")]);
        assert!(missing.contains("tcpdump: No such device exists") && !missing.contains("sudo"), "{missing}");
        let none = advised("-i lo", vec![Failure::NotInstalled, Failure::NotInstalled]);
        assert!(none.contains("install tcpdump"), "{none}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn setcap_gets_no_symbolic_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let advice = advised("-i eth9", vec![ended(&link.to_string_lossy(), "Operation not permitted")]);
        let file = fs::canonicalize(file).expect("it exists");
        assert!(advice.contains(&format!("=eip {}`", file.display())), "{advice}");
    }
}
