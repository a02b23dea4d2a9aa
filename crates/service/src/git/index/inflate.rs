//! One compressed stream of a pack at a time.

use gix_zlib::{Inflate, Status};

use super::Failure;

#[derive(Default)]
pub(super) struct Inflater(Inflate);

impl Inflater {
    /// Unpacks a stream that must hold exactly `size` bytes; gives its compressed length.
    pub(super) fn unpack(
        &mut self,
        input: &[u8],
        size: u64,
        out: &mut Vec<u8>,
    ) -> Result<usize, Failure> {
        let size = usize::try_from(size).map_err(|_| Failure::Limit)?;
        // Room for a byte too many shows streams that hold more.
        out.clear();
        out.try_reserve_exact(size + 1)
            .map_err(|_| Failure::Limit)?;
        out.resize(size + 1, 0);
        self.0.reset();
        let (status, consumed, produced) = self
            .0
            .once(input, out)
            .map_err(|_| Failure::Damaged("an object's compressed data is wrong"))?;
        if status != Status::StreamEnd || produced != size {
            return Err(Failure::Damaged(
                "an object has another size than its header says",
            ));
        }
        out.truncate(size);
        Ok(consumed)
    }
}
