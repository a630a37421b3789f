//! Everything that a user can ask for. A key becomes an action once, in [`super::keymap`].

/// Declares [`Action`] with the names by which the key table refers to it.
macro_rules! actions {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal;)+) => {
        /// A request of the user, independent of the key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action { $($(#[doc = $doc])+ $variant),+ }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Whether its keys work in every context, whatever the key table says.
            pub const fn is_global(self) -> bool { matches!(self, Self::QuitNow) }

            /// Its name in the key table.
            pub const fn name(self) -> &'static str { match self { $(Self::$variant => $name),+ } }
        }
    };
}

actions! {
    /// Move a row up.
    Up "up";
    /// Move a row down.
    Down "down";
    /// Move to the previous field or byte, or choose the previous value.
    Left "left";
    /// Move to the next field or byte, or choose the next value.
    Right "right";
    /// Move a page up.
    PageUp "page-up";
    /// Move a page down.
    PageDown "page-down";
    /// Move half a page up.
    HalfPageUp "half-page-up";
    /// Move half a page down.
    HalfPageDown "half-page-down";
    /// Go to the first row or byte.
    First "first";
    /// Go to the last row or byte; in the list, follow new records.
    Last "last";
    /// Go to the next panel.
    NextPanel "next-panel";
    /// Go to the previous panel.
    PreviousPanel "previous-panel";
    /// Go to the partner of the record: the answer, the pong, the other Close, the next fragment.
    Partner "partner";
    /// Go to the previous record with a finding.
    PreviousFinding "previous-finding";
    /// Go to the next record with a finding.
    NextFinding "next-finding";
    /// Open the panel of findings.
    Findings "findings";
    /// Stop following new records, or follow them.
    Hold "hold";
    /// Open the prompt for a search.
    Find "find";
    /// Open the prompt for a filter.
    Filter "filter";
    /// Filter for records like the selected one.
    Alike "alike";
    /// Go to the next match of the search.
    FindNext "find-next";
    /// Go to the previous match of the search.
    FindPrevious "find-previous";
    /// Show one panel on the whole screen, or all panels.
    Maximise "maximise";
    /// Show the view of frames.
    ViewFrames "view-frames";
    /// Show the view of messages.
    ViewMessages "view-messages";
    /// Show the table of connections.
    ViewConnections "view-connections";
    /// Show the timeline.
    ViewTimeline "view-timeline";
    /// Halve the time that the timeline shows.
    ZoomIn "zoom-in";
    /// Double the time that the timeline shows.
    ZoomOut "zoom-out";
    /// Show the whole time of the capture.
    ZoomAll "zoom-all";
    /// Show the next view.
    NextView "next-view";
    /// Expand or open the selected row.
    Open "open";
    /// Show consecutive heartbeats in one row, or apart.
    Fold "fold";
    /// Show the payload as a tree, or as hex.
    Tree "tree";
    /// Change the format of times.
    TimeFormat "time-format";
    /// Close a dialog, cancel a job, clear the filter, or go back.
    Cancel "cancel";
    /// Mark the record, or remove its mark.
    Mark "mark";
    /// Go to the next marked record.
    NextMark "next-mark";
    /// Write a note on the record.
    Note "note";
    /// Open the copy menu.
    Copy "copy";
    /// Open the export dialog.
    Export "export";
    /// Save the whole capture.
    Save "save";
    /// Open the page in a browser.
    Browser "browser";
    /// Start or stop the demo client.
    Demo "demo";
    /// Show all keys.
    Help "help";
    /// Quit; ask first if something would be lost.
    Quit "quit";
    /// Quit at once.
    QuitNow "quit-now";
    /// Accept what a dialog contains.
    Submit "submit";
    /// Insert the next completion.
    Complete "complete";
    /// Insert the previous completion.
    CompleteBack "complete-back";
    /// Answer a question with yes.
    Confirm "confirm";
    /// Save the capture, then quit.
    SaveFirst "save-first";
    /// Copy the value of the selected field.
    CopyField "copy-field";
    /// Copy the bytes of the selected field as hex.
    CopyFieldHex "copy-field-hex";
    /// Copy the payload as text.
    CopyPayload "copy-payload";
    /// Copy the payload as hex.
    CopyPayloadHex "copy-payload-hex";
    /// Copy the inflated or joined message as text.
    CopyMessage "copy-message";
    /// Copy the whole record as hex.
    CopyRecordHex "copy-record-hex";
}
