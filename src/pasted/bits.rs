//! Binary digits: `10000001 00000101`, `0b10000001 0b00000101`.

/// Reads groups of eight binary digits, all or none with the prefix `0b`. `None` if the text is anything else.
///
/// Such groups are hex digits, too. As hex, the first byte would be 0x10, 0x11 or 0x0B: a frame with reserved bits or a
/// reserved opcode, and without FIN. As bits, FIN is 1, as in almost all frames.
pub(super) fn read(text: &str) -> Option<Vec<u8>> {
    let groups: Vec<&str> = text.split([' ', '\t', '\r', '\n', ',']).filter(|group| !group.is_empty()).collect();
    let bare: Option<Vec<&str>> = groups.iter().map(|group| group.strip_prefix("0b")).collect();
    let groups = match bare {
        Some(bare) => bare,
        None if groups.len() > 1 => groups,
        None => return None,
    };
    let is_byte = |group: &&str| group.len() == 8 && group.bytes().all(|digit| matches!(digit, b'0' | b'1'));
    let is_bits = groups.first()?.starts_with('1') && groups.iter().all(is_byte);
    is_bits.then(|| groups.iter().filter_map(|group| u8::from_str_radix(group, 2).ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_eight_binary_digits_are_bits() {
        assert_eq!(read("10000001 00000101\n01001000"), Some(vec![0x81, 0x05, 0x48]));
        assert_eq!(read("10001000,00000000"), Some(vec![0x88, 0x00]));
        assert_eq!(read("0b10000001, 0b00000101"), Some(vec![0x81, 0x05]));
        for hex in [
            "10000001",
            "00000001 00000000",
            "10000001 0000010",
            "10000001 00000102",
            "10000001 8105",
            "0b10000001 00000101",
            "0b10 0b01",
            "",
        ] {
            assert_eq!(read(hex), None, "{hex}");
        }
    }
}
