//! Everything that a user can ask for. A key becomes an action once, in [`super::keymap`].

use serde::Deserialize;

/// Declares [`Action`] and the list of all actions.
macro_rules! actions {
    ($($variant:ident)+) => {
        /// A request of the user, independent of the key. The key table, `assets/keymap.toml`, names each action in kebab case and
        /// says what it does.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Action { $($variant),+ }

        impl Action {
            /// All actions.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }
    };
}

actions! {
    // Move the cursor; in a dialog, choose.
    Up Down Left Right PageUp PageDown HalfPageUp HalfPageDown First Last
    // Go to a panel or to a record.
    NextPanel PreviousPanel Partner PreviousFinding NextFinding NextMark FindNext FindPrevious
    // Change what is shown.
    ViewFrames ViewMessages ViewConnections ViewTimeline NextView ZoomIn ZoomOut ZoomAll
    Pause Open Fold Tree TextOrHex TimeFormat Maximise Read Alike Mark Cancel
    // Open a dialog.
    Find Filter Findings Note Copy Export Picture Save Paste Kept Help
    // Ask the program for something.
    Browser Demo Send HoldRules Inject Tour Quit QuitNow
    // In the tour only.
    TourNext TourHint TourSkip TourBack
    // In dialogs only.
    Submit Complete CompleteBack Confirm SaveFirst Delete
    SendHeld SendAllHeld EditHeld AddRule
    CopyField CopyFieldHex CopyPayload CopyPayloadHex CopyMessage CopyRecordHex
}
