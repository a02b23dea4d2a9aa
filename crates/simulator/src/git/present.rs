//! What Azure DevOps' git server shows that git's own does not, and the other way round (facts/git.md section 2).

use super::pkt::{self, Frame};

/// Upload-pack's capabilities, in the order in which dev.azure.com sends them; `symref` follows.
const UPLOAD: &str = "multi_ack thin-pack side-band side-band-64k no-progress multi_ack_detailed no-done shallow \
    allow-tip-sha1-in-want filter";
const RECEIVE: &str = "report-status side-band-64k quiet delete-refs";
/// Shown per ref when a push tries to write what only pull requests write.
pub(crate) const SYSTEM_ONLY: &str = "The current action can only be performed by the system.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    UploadPack,
    ReceivePack,
}

impl Service {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "git-upload-pack" => Some(Self::UploadPack),
            "git-receive-pack" => Some(Self::ReceivePack),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::UploadPack => "git-upload-pack",
            Self::ReceivePack => "git-receive-pack",
        }
    }
}

/// Rewrites the ref advertisement of `git http-backend` to the vendor's literal capability strings.
/// An empty repository advertises nothing but a flush to readers. Refs that are not in `view` are left out.
pub(crate) fn advertisement(
    service: Service,
    original: &[u8],
    view: &dyn Fn(&str) -> bool,
) -> Vec<u8> {
    let mut output = Vec::with_capacity(original.len());
    let mut rest = original;
    // The service header and its flush are the same on both servers.
    for _ in 0..2 {
        if let Some((frame, tail)) = pkt::next(rest) {
            copy(&mut output, frame);
            rest = tail;
        }
    }
    let mut first = true;
    while let Some((frame, tail)) = pkt::next(rest) {
        rest = tail;
        match frame {
            Frame::Data(line) if first => {
                first = false;
                if let Some(line) = first_line(service, line) {
                    pkt::data(&mut output, &line);
                }
            }
            Frame::Data(line)
                if line
                    .get(41..)
                    .is_some_and(|name| !view(ref_name(name).as_ref())) => {}
            frame => copy(&mut output, frame),
        }
    }
    output
}

/// Without the mark of a peeled tag.
fn ref_name(line: &[u8]) -> std::borrow::Cow<'_, str> {
    let name = line.strip_suffix(b"\n").unwrap_or(line);
    String::from_utf8_lossy(name.strip_suffix(b"^{}").unwrap_or(name))
}

fn copy(output: &mut Vec<u8>, frame: Frame<'_>) {
    match frame {
        Frame::Data(payload) => pkt::data(output, payload),
        Frame::Flush => pkt::flush(output),
    }
}

fn first_line(service: Service, line: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(line);
    let (reference, capabilities) = text.trim_end().split_once('\0')?;
    let shown = match service {
        Service::ReceivePack => RECEIVE.to_owned(),
        Service::UploadPack if reference.ends_with(" capabilities^{}") => return None,
        Service::UploadPack => {
            let symref = capabilities
                .split(' ')
                .find(|capability| capability.starts_with("symref="));
            symref.map_or_else(|| UPLOAD.to_owned(), |symref| format!("{UPLOAD} {symref}"))
        }
    };
    Some(format!("{reference}\0 {shown}\n").into_bytes())
}

/// A fetch request that the vendor's server would refuse.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MultiAckMissing;

/// Checks the first `want` and drops capabilities that were never advertised, so that git sends only reference deltas
/// whatever the client asks for. A bare `want` without a list passes.
pub(crate) fn upload_request(body: &[u8]) -> Result<Vec<u8>, MultiAckMissing> {
    let Some((Frame::Data(line), rest)) = pkt::next(body) else {
        return Ok(body.to_vec());
    };
    let text = String::from_utf8_lossy(line);
    let mut words = text.trim_end().splitn(3, ' ');
    let (Some("want"), Some(object), Some(capabilities)) =
        (words.next(), words.next(), words.next())
    else {
        return Ok(body.to_vec());
    };
    let asked: Vec<&str> = capabilities.split_whitespace().collect();
    if !asked.is_empty()
        && !asked
            .iter()
            .any(|&c| c == "multi_ack" || c == "multi_ack_detailed")
    {
        return Err(MultiAckMissing);
    }
    let known = |capability: &&str| UPLOAD.split(' ').any(|shown| shown == *capability);
    let kept: Vec<&str> = asked.into_iter().filter(known).collect();
    let mut output = Vec::with_capacity(body.len());
    pkt::data(
        &mut output,
        format!("want {object} {}\n", kept.join(" ")).as_bytes(),
    );
    output.extend_from_slice(rest);
    Ok(output)
}

/// Replaces git's reason for refused pull-request refs by the vendor's in the answer to a push.
pub(crate) fn push_report(original: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(original.len() + 64);
    let mut report = Vec::new();
    let mut plain = true;
    for frame in pkt::frames(original) {
        match frame {
            Frame::Data([1, inner @ ..]) => {
                plain = false;
                report.extend_from_slice(inner);
            }
            Frame::Data(payload) if payload.first() == Some(&2) => {
                plain = false;
                pkt::data(&mut output, payload);
            }
            _ => {}
        }
    }
    if plain {
        return report_lines(original);
    }
    let lines = report_lines(&report);
    for chunk in lines.chunks(60_000) {
        pkt::data(&mut output, &[&[1], chunk].concat());
    }
    pkt::flush(&mut output);
    output
}

fn report_lines(report: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(report.len());
    for frame in pkt::frames(report) {
        match frame {
            Frame::Data(line) if line.starts_with(b"ng refs/pull/") => {
                let text = String::from_utf8_lossy(line);
                let name = text.split_whitespace().nth(1).unwrap_or_default();
                pkt::data(&mut output, format!("ng {name} {SYSTEM_ONLY}\n").as_bytes());
            }
            frame => copy(&mut output, frame),
        }
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "1111111111111111111111111111111111111111";

    fn wants(capabilities: &str) -> Vec<u8> {
        let mut body = Vec::new();
        pkt::data(&mut body, format!("want {OID}{capabilities}\n").as_bytes());
        pkt::flush(&mut body);
        body
    }

    #[test]
    fn a_capability_list_without_multi_ack_is_refused_and_a_bare_want_passes() {
        assert_eq!(
            upload_request(&wants(" side-band-64k ofs-delta")),
            Err(MultiAckMissing)
        );
        assert_eq!(upload_request(&wants("")), Ok(wants("")));
        assert_eq!(
            upload_request(&wants(
                " multi_ack_detailed ofs-delta agent=x side-band-64k"
            )),
            Ok(wants(" multi_ack_detailed side-band-64k"))
        );
    }

    #[test]
    fn the_first_ref_carries_the_vendors_capabilities() {
        let mut git = Vec::new();
        pkt::data(&mut git, b"# service=git-upload-pack\n");
        pkt::flush(&mut git);
        pkt::data(
            &mut git,
            format!("{OID} HEAD\0multi_ack ofs-delta symref=HEAD:refs/heads/main agent=git/2\n")
                .as_bytes(),
        );
        pkt::data(&mut git, format!("{OID} refs/heads/main\n").as_bytes());
        pkt::flush(&mut git);
        let shown = advertisement(Service::UploadPack, &git, &|_| true);
        let frames = pkt::frames(&shown);
        let Frame::Data(first) = frames[2] else {
            panic!("no first ref")
        };
        let first = String::from_utf8_lossy(first).into_owned();
        assert!(
            first.ends_with("allow-tip-sha1-in-want filter symref=HEAD:refs/heads/main\n"),
            "{first}"
        );
        assert!(
            !first.contains("ofs-delta") && !first.contains("agent"),
            "{first}"
        );
        assert_eq!(frames.len(), 5);
    }

    #[test]
    fn an_empty_repository_shows_only_a_flush() {
        let mut git = Vec::new();
        pkt::data(&mut git, b"# service=git-upload-pack\n");
        pkt::flush(&mut git);
        pkt::data(
            &mut git,
            format!("{} capabilities^{{}}\0multi_ack\n", "0".repeat(40)).as_bytes(),
        );
        pkt::flush(&mut git);
        assert_eq!(
            advertisement(Service::UploadPack, &git, &|_| true),
            b"001e# service=git-upload-pack\n00000000"
        );
    }

    #[test]
    fn a_refused_pull_ref_is_explained_in_the_vendors_words() {
        let mut inner = Vec::new();
        pkt::data(&mut inner, b"unpack ok\n");
        pkt::data(
            &mut inner,
            b"ng refs/pull/1/merge deny updating a hidden ref\n",
        );
        pkt::flush(&mut inner);
        let mut outer = Vec::new();
        pkt::data(&mut outer, &[&[1], inner.as_slice()].concat());
        pkt::flush(&mut outer);
        let shown = push_report(&outer);
        assert!(String::from_utf8_lossy(&shown).contains(SYSTEM_ONLY));
        assert!(shown.ends_with(b"0000"));
    }
}
