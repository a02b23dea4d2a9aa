//! How far the second pass has come: the last position whose references are written, as a note in the journal that belongs to no item.
//! Without it a resumed apply would connect everything again that is not yet read back.

use model::ItemRef;

use super::Apply;
use crate::Result;

/// No kind has an empty name.
fn place() -> ItemRef {
    ItemRef::new("", "", "connected")
}

impl Apply<'_> {
    pub(super) async fn load_mark(&self) -> Result<()> {
        let noted = self.store.noted(&self.plan.id, &place()).await?;
        // What cannot be read is connected again, which is harmless.
        self.run().connected = noted.and_then(|text| text.parse().ok());
        Ok(())
    }

    pub(super) fn mark(&self) -> Option<u64> {
        self.run().connected
    }

    pub(super) async fn set_mark(&self, position: Option<u64>) -> Result<()> {
        let text = position.map_or_else(|| "none".to_owned(), |position| position.to_string());
        self.store.note(&self.plan.id, &place(), &text).await?;
        self.run().connected = position;
        Ok(())
    }

    /// An item before the mark was made after all: what follows it is connected anew.
    pub(super) async fn lower_mark(&self, position: u64) -> Result<()> {
        if self.mark().is_some_and(|mark| mark >= position) {
            self.set_mark(position.checked_sub(1)).await?;
        }
        Ok(())
    }
}
