//! The programs that capture packets, and their arguments.

use std::fs;
use std::path::Path;

use rustix::process::Signal;

use crate::cli::PacketSource;

/// `ARPHRD_LOOPBACK`: the type of a loopback interface.
const LOOPBACK: &str = "772";

/// The programs, the preferred one first: tcpdump writes each packet at once, dumpcap up to 0.25 s later.
pub(super) const PROGRAMS: [Program; 2] = [
    Program {
        name: "tcpdump",
        arguments: &["--immediate-mode", "-U", "-n", "-p"],
        buffer_unit: 1 << 10,
        // Its buffer has places of equal size, as large as a packet can be. On `any` that would be 256 KiB, so that few packets fit.
        on_any: &["-s", "65600"],
        expression: &[],
        request: Some(Signal::USR1),
    },
    Program {
        name: "dumpcap",
        arguments: &["-q", "-p"],
        buffer_unit: 1 << 20,
        on_any: &[],
        expression: &["-f"],
        request: None,
    },
];

/// How to run a program.
pub(super) struct Program {
    pub(super) name: &'static str,
    arguments: &'static [&'static str],
    /// The unit of `-B`, in bytes.
    buffer_unit: u64,
    /// Arguments for the interface `any`.
    on_any: &'static [&'static str],
    /// What precedes the filter expression.
    expression: &'static [&'static str],
    /// The signal that asks for counts on stderr.
    pub(super) request: Option<Signal>,
}

impl Program {
    /// The arguments that capture the packets of `source`.
    pub(super) fn arguments(&self, source: &PacketSource) -> Vec<String> {
        let buffer = source.buffer.div_ceil(self.buffer_unit).to_string();
        let on_any = if source.interface == "any" { self.on_any } else { &[] };
        let fixed = |arguments: &'static [&'static str]| arguments.iter().map(|argument| (*argument).to_owned());
        let mut arguments: Vec<String> = fixed(self.arguments).chain(fixed(on_any)).collect();
        arguments.extend(["-B".to_owned(), buffer, "-w".to_owned(), "-".to_owned()]);
        arguments.extend(["-i".to_owned(), source.interface.clone()]);
        arguments.extend(fixed(self.expression));
        let mut expression = source.expression();
        if is_loopback(&source.interface) {
            // Linux shows each packet as sent and as received. libpcap takes the latter, but both would use the buffer.
            expression.push_str(" and inbound");
        }
        arguments.push(expression);
        arguments
    }
}

/// Returns true if packets of an interface do not leave this machine. Only Linux shows this.
fn is_loopback(interface: &str) -> bool {
    let interface_type = fs::read_to_string(Path::new("/sys/class/net").join(interface).join("type"));
    interface_type.is_ok_and(|number| number.trim() == LOOPBACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_name_buffer_interface_and_expression() {
        let arguments = |program: usize, interface: &str, host: Option<&str>| {
            let (interface, host) = (interface.to_owned(), host.map(str::to_owned));
            PROGRAMS[program].arguments(&PacketSource { interface, port: 9000, host, buffer: 64 << 20 }).join(" ")
        };
        let tcpdump = "--immediate-mode -U -n -p -B 65536 -w - -i eth9 tcp port 9000";
        assert_eq!(arguments(0, "eth9", None), tcpdump);
        assert_eq!(arguments(0, "eth9", Some("::1")), format!("{tcpdump} and host ::1"));
        assert_eq!(arguments(0, "eth9", Some("net")), format!(r"{tcpdump} and host \net"));
        let on_any = "--immediate-mode -U -n -p -s 65600 -B 65536 -w - -i any tcp port 9000";
        assert_eq!(arguments(0, "any", None), on_any);
        assert_eq!(arguments(1, "any", None), "-q -p -B 64 -w - -i any -f tcp port 9000");
        assert_eq!(arguments(0, "lo", None).ends_with(" and inbound"), cfg!(target_os = "linux"));
    }
}
