//! The alerts of TLS (RFC 8446 §6, and the IANA registry for those of other documents).

/// The alert with which a side says that it sends no more data (RFC 8446 §6.1).
pub const CLOSE_NOTIFY: u8 = 0;

/// The alert with which a side ends the handshake for a reason of its own (RFC 8446 §6.1).
pub const USER_CANCELED: u8 = 90;

/// The name of an alert; `None` if it is not registered.
pub const fn alert_name(code: u8) -> Option<&'static str> {
    Some(match code {
        CLOSE_NOTIFY => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        USER_CANCELED => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        111 => "certificate_unobtainable",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        121 => "ech_required",
        _ => return None,
    })
}
