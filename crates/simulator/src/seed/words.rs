//! Texts that read like work: sentences, HTML, Markdown, and titles in many scripts.

/// A small generator of numbers (splitmix64), so that seeds repeat whatever the versions of libraries.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which must not be 0.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        (self.next() % u64::from(end.max(1))) as u32
    }

    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u32) as usize]
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.next().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

const WORDS: [&str; 96] = [
    "account",
    "address",
    "alert",
    "archive",
    "audit",
    "backlog",
    "batch",
    "branch",
    "browser",
    "budget",
    "build",
    "button",
    "cache",
    "calendar",
    "catalog",
    "category",
    "change",
    "chart",
    "checkout",
    "client",
    "column",
    "comment",
    "contract",
    "customer",
    "dashboard",
    "database",
    "deadline",
    "delivery",
    "dialog",
    "discount",
    "document",
    "draft",
    "email",
    "error",
    "export",
    "feature",
    "field",
    "filter",
    "folder",
    "form",
    "gateway",
    "header",
    "history",
    "import",
    "index",
    "invoice",
    "language",
    "layout",
    "library",
    "link",
    "list",
    "login",
    "mailbox",
    "menu",
    "message",
    "metric",
    "migration",
    "module",
    "network",
    "notice",
    "order",
    "page",
    "password",
    "payment",
    "permission",
    "picture",
    "pipeline",
    "policy",
    "portal",
    "price",
    "printer",
    "process",
    "product",
    "profile",
    "project",
    "query",
    "queue",
    "receipt",
    "record",
    "region",
    "release",
    "report",
    "request",
    "review",
    "schedule",
    "screen",
    "search",
    "server",
    "session",
    "setting",
    "shipment",
    "status",
    "storage",
    "table",
    "template",
    "warehouse",
];
const VERBS: [&str; 24] = [
    "add",
    "adjust",
    "check",
    "clean up",
    "collect",
    "compare",
    "document",
    "extend",
    "fix",
    "hide",
    "import",
    "merge",
    "move",
    "rename",
    "repair",
    "replace",
    "restore",
    "review",
    "send",
    "show",
    "speed up",
    "split",
    "translate",
    "update",
];
const ENDS: [&str; 12] = [
    "before the next release",
    "for the sales team",
    "when the connection is slow",
    "on small screens",
    "after the nightly run",
    "in the new region",
    "without a restart",
    "as agreed with the customer",
    "for guests too",
    "while others edit",
    "at the end of the quarter",
    "in all languages",
];
/// Titles beyond ASCII: several scripts, right-to-left text, combining marks, emoji with joiners.
pub(crate) const FOREIGN: [&str; 14] = [
    "検索結果の並び順が正しくない",
    "Ошибка при сохранении отчёта «Квартал»",
    "لا يمكن تسجيل الدخول إلى البوابة",
    "שגיאה בטעינת הדף הראשי (404)",
    "Größenänderung schlägt fehl – „Überlauf“",
    "🚀 Launch checklist ✅ 👩‍💻👨‍👩‍👧‍👦",
    "한국어 번역이 누락됨",
    "Λάθος ημερομηνία στο τιμολόγιο",
    "Zażółć gęślą jaźń – błąd kodowania",
    "हिन्दी में खोज काम नहीं करती",
    "ใบแจ้งหนี้ไม่แสดงภาษี",
    "Cafe\u{301} combining accent & <tags> \"quotes\"",
    "Trang thanh toán bị lỗi khi đổi ngôn ngữ",
    "𝒰nusual 𝔩etters 𐍈 outside the basic plane",
];

impl Dice {
    pub(crate) fn word(&mut self) -> &'static str {
        self.pick::<&str>(&WORDS)
    }

    pub(crate) fn title(&mut self) -> String {
        let (verb, one, two, end) = (
            *self.pick(&VERBS),
            self.word(),
            self.word(),
            *self.pick(&ENDS),
        );
        capital(&format!("{verb} the {one} {two} {end}"))
    }

    pub(crate) fn sentence(&mut self) -> String {
        let (one, verb, two, three, end) = (
            self.word(),
            *self.pick(&VERBS),
            self.word(),
            self.word(),
            *self.pick(&ENDS),
        );
        capital(&format!(
            "the {one} should {verb} every {two} of the {three} {end}."
        ))
    }

    pub(crate) fn paragraph(&mut self) -> String {
        let count = 2 + self.below(4);
        (0..count)
            .map(|_| self.sentence())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// HTML as the web editor writes it.
    pub(crate) fn html(&mut self) -> String {
        let first = self.paragraph();
        let list = if self.chance(50) {
            let (one, two) = (self.sentence(), self.sentence());
            format!("<div><br></div><ul><li>{one}</li><li><b>{two}</b></li></ul>")
        } else {
            String::new()
        };
        let foreign = if self.chance(20) {
            let foreign = *self.pick(&FOREIGN);
            let foreign = foreign.replace('&', "&amp;").replace('<', "&lt;");
            format!("<div dir=\"auto\">{foreign}</div>")
        } else {
            String::new()
        };
        format!("<div>{first}</div>{list}{foreign}")
    }

    pub(crate) fn markdown(&mut self) -> String {
        let (head, body, one, two, code) = (
            self.title(),
            self.paragraph(),
            self.sentence(),
            self.sentence(),
            self.word(),
        );
        format!(
            "## {head}\n\n{body}\n\n- [ ] {one}\n- [x] {two}\n\n```rust\nlet {code} = 1;\n```\n\n| a | b |\n|---|---|\n| 1 | *2* |\n"
        )
    }

    /// Text of about `length` bytes for the bulk seed.
    pub(crate) fn prose(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 96);
        while text.len() < length {
            text.push_str(&self.sentence());
            text.push(' ');
        }
        text.truncate(length);
        text
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}
