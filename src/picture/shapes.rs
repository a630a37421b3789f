//! Box-drawing and block characters as lines and areas. As text, they would leave gaps between rows wherever the font is lower than
//! a row.

/// What a character draws in its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Lines from the centre to the edges.
    Lines(Arms),
    /// A part of the cell, counted in eighths from the left and from the bottom.
    Block {
        /// Its width.
        width: u8,
        /// Its height.
        height: u8,
    },
}

/// The lines of a box-drawing character.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arms {
    pub up: bool,
    pub right: bool,
    pub down: bool,
    pub left: bool,
    pub dashed: bool,
}

/// The shape of a character; `None` for one that is text.
pub const fn shape(c: char) -> Option<Shape> {
    let (up, right, down, left) = match c {
        '─' | '┄' => (false, true, false, true),
        '│' => (true, false, true, false),
        '┌' | '╭' => (false, true, true, false),
        '┐' | '╮' => (false, false, true, true),
        '└' | '╰' => (true, true, false, false),
        '┘' | '╯' => (true, false, false, true),
        '├' => (true, true, true, false),
        '┤' => (true, false, true, true),
        '┬' => (false, true, true, true),
        '┴' => (true, true, false, true),
        '┼' => (true, true, true, true),
        '╵' => (true, false, false, false),
        '╶' => (false, true, false, false),
        '╷' => (false, false, true, false),
        '╴' => (false, false, false, true),
        '▌' => return Some(Shape::Block { width: 4, height: 8 }),
        '▁'..='█' => return Some(Shape::Block { width: 8, height: (c as u32 - '▁' as u32 + 1) as u8 }),
        _ => return None,
    };
    Some(Shape::Lines(Arms { up, right, down, left, dashed: c == '┄' }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_meet_and_blocks_grow() {
        let Some(Shape::Lines(corner)) = shape('┌') else { panic!("lines") };
        assert_eq!((corner.up, corner.right, corner.down, corner.left), (false, true, true, false));
        assert_eq!(shape('▁'), Some(Shape::Block { width: 8, height: 1 }));
        assert_eq!(shape('█'), Some(Shape::Block { width: 8, height: 8 }));
        assert_eq!([shape('a'), shape('▲')], [None; 2]);
    }
}
