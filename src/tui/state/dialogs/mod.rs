//! The dialogs: help, findings, prompts, the export and paste dialogs, the copy menu and questions.

mod copy_menu;
mod export_dialog;
mod findings_panel;
pub(crate) mod hold_panel;
mod kept_list;
mod paste_dialog;
mod path_input;
mod picture_dialog;
pub(crate) mod prompt;

use crossterm::event::KeyEvent;

pub(crate) use self::copy_menu::CopyMenu;
pub(crate) use self::export_dialog::{ExportDialog, ExportRow, Scope, ScopeCounts};
pub(crate) use self::findings_panel::FindingsPanel;
pub(crate) use self::hold_panel::{HoldPanel, HoldRow};
pub(crate) use self::kept_list::KeptList;
pub(crate) use self::paste_dialog::PasteDialog;
pub(crate) use self::path_input::{PathInput, free_name};
pub(crate) use self::picture_dialog::PictureDialog;
pub(crate) use self::prompt::{Prompt, Purpose};
use crate::capture::live::spool::KeptCapture;
use crate::tui::export_request::ExportRequest;
use crate::tui::keymap::Context;
use crate::tui::picture_request::FileRequest;

/// The open dialog. It has the keyboard.
#[derive(Clone, Debug)]
pub enum Dialog {
    /// All keys: the number of a page, from 0.
    Help(u16),
    /// All words about the selection, scrolled down by that many lines.
    Words(u16),
    /// The findings by rule.
    Findings(FindingsPanel),
    /// A line to type into.
    Prompt(Prompt),
    /// The export dialog.
    Export(ExportDialog),
    /// The picture dialog.
    Picture(PictureDialog),
    /// The paste dialog.
    Paste(PasteDialog),
    /// The captures that earlier runs kept.
    Kept(KeptList),
    /// What the proxy holds.
    Hold(HoldPanel),
    /// The copy menu.
    Copy(CopyMenu),
    /// A question.
    Question(Question),
}

/// A question to the user.
#[derive(Clone, Debug)]
pub enum Question {
    /// Quit and lose what is not saved at that moment?
    Quit,
    /// Replace an existing file by an export?
    Replace(ExportRequest),
    /// Delete a capture that an earlier run kept?
    DeleteKept(KeptCapture),
    /// Replace an existing file by a picture?
    ReplaceFile(FileRequest),
}

/// A panel that opens the help, or words about its row.
#[derive(Clone, Copy, Debug)]
pub enum PanelBelow {
    /// The findings by rule.
    Findings(FindingsPanel),
    /// What the proxy holds.
    Hold(HoldPanel),
}

impl From<PanelBelow> for Dialog {
    fn from(panel: PanelBelow) -> Self {
        match panel {
            PanelBelow::Findings(panel) => Self::Findings(panel),
            PanelBelow::Hold(panel) => Self::Hold(panel),
        }
    }
}

/// The open dialog, and what a closed one remembers.
#[derive(Debug, Default)]
pub struct Dialogs {
    /// The open dialog.
    pub open: Option<Dialog>,
    /// The panel below the help or the words: it is open again when they close.
    pub below: Option<PanelBelow>,
    /// The panel of findings, as it was when it was closed.
    pub last_findings: FindingsPanel,
    /// The number of the rule that the open prompt replaces.
    pub replaced_rule: Option<u64>,
}

impl Dialogs {
    /// The context in which a key is looked up now.
    pub fn context(&self) -> Context {
        self.open.as_ref().map_or(Context::Panels, Dialog::context)
    }
}

impl Dialog {
    /// The context in which its keys are looked up.
    pub const fn context(&self) -> Context {
        match self {
            Self::Help(_) | Self::Words(_) => Context::Help,
            Self::Findings(_) => Context::Findings,
            Self::Prompt(Prompt { purpose: Purpose::Filter | Purpose::Rule, .. }) => Context::FilterPrompt,
            Self::Prompt(Prompt { purpose: Purpose::Edit(_), .. }) => Context::EditPrompt,
            Self::Prompt(Prompt { purpose: Purpose::Inject { .. }, .. }) => Context::InjectPrompt,
            Self::Prompt(Prompt { purpose: Purpose::Send, .. }) => Context::SendPrompt,
            Self::Prompt(_) => Context::Prompt,
            Self::Export(ExportDialog { row: ExportRow::Path, .. }) => Context::ExportPath,
            Self::Export(_) => Context::Export,
            Self::Picture(PictureDialog { row: ExportRow::Path, .. }) => Context::PicturePath,
            Self::Picture(_) => Context::Picture,
            Self::Paste(_) => Context::Paste,
            Self::Kept(_) => Context::Kept,
            Self::Hold(_) => Context::Hold,
            Self::Copy(_) => Context::Copy,
            Self::Question(Question::Quit) => Context::Quit,
            Self::Question(Question::DeleteKept(_)) => Context::Delete,
            Self::Question(Question::Replace(_) | Question::ReplaceFile(_)) => Context::Replace,
        }
    }

    /// Types a key without an action into the dialog. Returns false if it has no text input.
    pub fn type_key(&mut self, key: KeyEvent) -> bool {
        match self {
            Self::Prompt(prompt) => prompt.type_key(key),
            Self::Export(dialog) => dialog.type_key(key),
            Self::Picture(dialog) => dialog.type_key(key),
            Self::Paste(dialog) => dialog.type_key(key),
            Self::Help(_)
            | Self::Words(_)
            | Self::Findings(_)
            | Self::Kept(_)
            | Self::Hold(_)
            | Self::Copy(_)
            | Self::Question(_) => {
                return false;
            }
        }
        true
    }
}
