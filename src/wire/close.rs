//! Close codes (RFC 6455 §7.4, §11.7). Lossless: any 16-bit value is a [`CloseCode`].

/// The status code of a Close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: an endpoint goes away, such as a server that shuts down or a browser that leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: a protocol error.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1005: a Close came without a code. Never sent: an endpoint reports it to its application.
    pub const NO_STATUS: Self = Self(1005);
    /// 1006: the connection ended without a Close. Never sent either.
    pub const ABNORMAL: Self = Self(1006);
    /// 1007: data that does not match its type, such as text that is not UTF-8.
    pub const INVALID_DATA: Self = Self(1007);
    /// 1009: a message too big to process.
    pub const TOO_BIG: Self = Self(1009);
    /// 1011: an unexpected condition of the server.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1013: the server is overloaded for the moment; the client may connect again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The short name of the code in the registry of RFC 6455 §11.7, or of its range (§7.4.2).
    pub const fn name(self) -> &'static str {
        match self.0 {
            1000 => "normal closure",
            1001 => "going away",
            1002 => "protocol error",
            1003 => "unsupported data",
            1004 => "reserved",
            1005 => "no status received",
            1006 => "abnormal closure",
            1007 => "invalid payload data",
            1008 => "policy violation",
            1009 => "message too big",
            1010 => "mandatory extension",
            1011 => "internal error",
            1012 => "service restart",
            1013 => "try again later",
            1014 => "bad gateway",
            1015 => "TLS handshake",
            3000..=3999 => "registered",
            4000..=4999 => "private use",
            0..=999 => "not used",
            1016..=2999 => "reserved for the protocol",
            5000.. => "undefined",
        }
    }

    /// Returns true if an endpoint may send the code in a Close (RFC 6455 §7.4.1, §7.4.2). Codes 1012 to 1014 were
    /// registered after the RFC.
    pub const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_7_4_defines_the_codes_that_may_be_sent() {
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535] {
            assert!(!CloseCode(code).may_be_sent(), "{code}");
        }
        for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999] {
            assert!(CloseCode(code).may_be_sent(), "{code}");
        }
    }
}
