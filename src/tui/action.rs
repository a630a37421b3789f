//! What a person can ask for. Keys become actions once, in [`super::keymap`].

/// Declares [`Action`] with the names by which the key table refers to it.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)+) => {
        /// Something to do, whatever the key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])+ $variant),+ }

        impl Action {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the key table.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
        }
    };
}

actions! {
    /// A row up.
    Up "up";
    /// A row down.
    Down "down";
    /// The field or byte before.
    Left "left";
    /// The field or byte after.
    Right "right";
    /// A page up.
    PageUp "page-up";
    /// A page down.
    PageDown "page-down";
    /// Half a page up.
    HalfPageUp "half-page-up";
    /// Half a page down.
    HalfPageDown "half-page-down";
    /// To the first.
    First "first";
    /// To the last.
    Last "last";
    /// To the next panel.
    NextPanel "next-panel";
    /// To the previous panel.
    PreviousPanel "previous-panel";
    /// To the record that belongs to this one.
    Partner "partner";
    /// To the previous finding.
    PreviousFinding "previous-finding";
    /// To the next finding.
    NextFinding "next-finding";
    /// All findings, by rule.
    Findings "findings";
    /// Hold or follow.
    Hold "hold";
    /// Ask what to find.
    Find "find";
    /// Ask what to show.
    Filter "filter";
    /// Show what is like this.
    Alike "alike";
    /// Next match.
    FindNext "find-next";
    /// Previous match.
    FindPrevious "find-previous";
    /// One panel alone.
    Maximise "maximise";
    /// The frames.
    ViewFrames "view-frames";
    /// The messages.
    ViewMessages "view-messages";
    /// The connections.
    ViewConnections "view-connections";
    /// The timeline.
    ViewTimeline "view-timeline";
    /// Less time, in more detail.
    ZoomIn "zoom-in";
    /// More time.
    ZoomOut "zoom-out";
    /// All of the time.
    ZoomAll "zoom-all";
    /// The next view.
    NextView "next-view";
    /// What stands beneath a row.
    Open "open";
    /// Heartbeats in one row.
    Fold "fold";
    /// The payload as a tree, or as hex.
    Tree "tree";
    /// Another form of time.
    TimeFormat "time-format";
    /// Close, stop, forget.
    Cancel "cancel";
    /// Mark or unmark.
    Mark "mark";
    /// To the next mark.
    NextMark "next-mark";
    /// Write a note.
    Note "note";
    /// Choose what to copy.
    Copy "copy";
    /// Export.
    Export "export";
    /// Save all.
    Save "save";
    /// Open the page.
    Browser "browser";
    /// Start or stop the demo client.
    Demo "demo";
    /// All keys.
    Help "help";
    /// Quit, after asking when something would be lost.
    Quit "quit";
    /// Quit at once.
    QuitNow "quit-now";
}
