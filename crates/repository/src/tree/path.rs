//! Paths inside a snapshot, as text or as components.

/// Something that names a place in a tree: `"a/b"`, `["a", "b"]`.
pub trait TreePath {
    fn components(&self) -> impl Iterator<Item = &str> + Send;
}

/// Split at `/`; the empty path is the root.
impl TreePath for str {
    fn components(&self) -> impl Iterator<Item = &Self> + Send {
        let parts = if self.is_empty() {
            None
        } else {
            Some(self.split('/'))
        };
        parts.into_iter().flatten()
    }
}

impl TreePath for String {
    fn components(&self) -> impl Iterator<Item = &str> + Send {
        self.as_str().components()
    }
}

impl<S: AsRef<str> + Sync> TreePath for [S] {
    fn components(&self) -> impl Iterator<Item = &str> + Send {
        self.iter().map(AsRef::as_ref)
    }
}

impl<S: AsRef<str> + Sync, const N: usize> TreePath for [S; N] {
    fn components(&self) -> impl Iterator<Item = &str> + Send {
        self.iter().map(AsRef::as_ref)
    }
}

impl<S: AsRef<str> + Sync> TreePath for Vec<S> {
    fn components(&self) -> impl Iterator<Item = &str> + Send {
        self.iter().map(AsRef::as_ref)
    }
}

impl<P: TreePath + ?Sized> TreePath for &P {
    fn components(&self) -> impl Iterator<Item = &str> + Send {
        (**self).components()
    }
}
