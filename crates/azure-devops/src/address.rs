//! Addresses as people paste them: of an organization, a repository, a wiki.

use model::connector::is_organization;
use percent_encoding::percent_decode_str;
use service::preflight::{Address, AddressPart};
use url::{Host, Url};

const CLOUD: &str = "dev.azure.com";
const OLD_CLOUD: &str = ".visualstudio.com";

/// The organization that a name or an address is about, with the repository or wiki that it leads to; else what to give, in words.
pub(crate) fn parse(text: &str) -> Result<Address, &'static str> {
    let text = text.trim();
    if is_organization(text) {
        return Ok(Address {
            organization: text.to_owned(),
            part: None,
        });
    }
    let url =
        Url::parse(text).map_err(|_| "give the part after dev.azure.com/, for example contoso")?;
    if url.scheme() != "https" {
        return Err("an address begins with https://");
    }
    // `https://contoso@dev.azure.com/…` is what the service offers for cloning.
    if url.password().is_some() {
        return Err("the address holds a password: give the token on its own");
    }
    if url.port().is_some() {
        return Err("only addresses of dev.azure.com and NAME.visualstudio.com are understood");
    }
    let mut segments = segments(&url)?;
    let organization = match url.host() {
        Some(Host::Domain(CLOUD)) if segments.is_empty() => {
            return Err("the organization is missing: https://dev.azure.com/ORGANIZATION");
        }
        Some(Host::Domain(CLOUD)) => segments.remove(0),
        Some(Host::Domain(host)) => match host.strip_suffix(OLD_CLOUD) {
            Some(name) => {
                // The collection that every organization of this form has, and that links may name.
                if segments
                    .first()
                    .is_some_and(|first| first.eq_ignore_ascii_case("DefaultCollection"))
                {
                    segments.remove(0);
                }
                name.to_owned()
            }
            None => {
                return Err(
                    "only addresses of dev.azure.com and NAME.visualstudio.com are understood",
                );
            }
        },
        _ => {
            return Err("only addresses of dev.azure.com and NAME.visualstudio.com are understood");
        }
    };
    if !is_organization(&organization) {
        return Err("give the part after dev.azure.com/, for example contoso");
    }
    Ok(Address {
        organization,
        part: part(&segments)?,
    })
}

/// The path in clear text; a segment that hides a separator or a control character is nothing that the service makes.
fn segments(url: &Url) -> Result<Vec<String>, &'static str> {
    let parts = url.path().split('/').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let text = percent_decode_str(part)
                .decode_utf8()
                .map_err(|_| "the address is not encoded as UTF-8")?;
            let name = text.trim();
            let hostile = name.is_empty()
                || name == "."
                || name == ".."
                || name
                    .chars()
                    .any(|c| c == '/' || c == '\\' || c.is_control());
            if hostile {
                return Err("the address names no project, repository or wiki");
            }
            Ok(name.to_owned())
        })
        .collect()
}

/// `{project}/_git/{repository}`, `_git/{repository}` (a project's repository of its own name) or `{project}/_wiki/wikis/{wiki}`.
fn part(segments: &[String]) -> Result<Option<AddressPart>, &'static str> {
    let words: Vec<&str> = segments.iter().map(String::as_str).collect();
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    match words.as_slice() {
        [git, name] if is(git, "_git") => Ok(Some(AddressPart::Repository {
            project: (*name).to_owned(),
            name: (*name).to_owned(),
        })),
        [project, git, name, ..] if is(git, "_git") && !project.starts_with('_') => {
            Ok(Some(AddressPart::Repository {
                project: (*project).to_owned(),
                name: (*name).to_owned(),
            }))
        }
        [project, wiki, wikis, name, ..]
            if is(wiki, "_wiki") && is(wikis, "wikis") && !project.starts_with('_') =>
        {
            Ok(Some(AddressPart::Wiki {
                project: (*project).to_owned(),
                name: (*name).to_owned(),
            }))
        }
        [.., git] if is(git, "_git") => Err("the repository is missing: …/PROJECT/_git/REPOSITORY"),
        [.., wiki] if is(wiki, "_wiki") || is(wiki, "wikis") => {
            Err("the wiki is missing: …/PROJECT/_wiki/wikis/WIKI")
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use service::http::segment;

    use super::*;

    fn repository(project: &str, name: &str) -> AddressPart {
        AddressPart::Repository {
            project: project.to_owned(),
            name: name.to_owned(),
        }
    }

    fn wiki(project: &str, name: &str) -> AddressPart {
        AddressPart::Wiki {
            project: project.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn sre_09_an_organization_is_taken_from_its_name_or_address() {
        for text in [
            "contoso",
            " contoso ",
            "https://dev.azure.com/contoso",
            "https://dev.azure.com/contoso/",
            "HTTPS://DEV.AZURE.COM/contoso",
            "https://contoso.visualstudio.com/",
            "https://contoso.visualstudio.com/DefaultCollection",
            "https://dev.azure.com/contoso/_settings/users",
        ] {
            assert_eq!(parse(text).unwrap().organization, "contoso", "{text}");
        }
        for text in [
            "-contoso",
            "contoso-",
            "con_toso",
            "con.toso",
            "con toso",
            "",
            "https://dev.azure.com/",
            "https://dev.azure.com/con_toso",
            "https://.visualstudio.com/",
            "https://a.b.visualstudio.com/",
            &"a".repeat(51),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sre_35_sre_36_sre_37_repositories_and_wikis() {
        let table = [
            (
                "https://dev.azure.com/contoso/Fiber/_git/api",
                repository("Fiber", "api"),
            ),
            (
                "https://contoso@dev.azure.com/contoso/Fiber/_git/api",
                repository("Fiber", "api"),
            ),
            (
                "https://contoso.visualstudio.com/Fiber/_git/api",
                repository("Fiber", "api"),
            ),
            (
                "https://contoso.visualstudio.com/DefaultCollection/Fiber/_git/api",
                repository("Fiber", "api"),
            ),
            (
                "https://dev.azure.com/contoso/_git/Fiber",
                repository("Fiber", "Fiber"),
            ),
            (
                "https://dev.azure.com/contoso/Fiber/_wiki/wikis/Fiber.wiki",
                wiki("Fiber", "Fiber.wiki"),
            ),
            (
                "https://contoso.visualstudio.com/Fiber/_wiki/wikis/w/12/Home?a=b",
                wiki("Fiber", "w"),
            ),
            (
                "https://dev.azure.com/contoso/Fiber/_git/api?path=%2FREADME.md&version=GBmain",
                repository("Fiber", "api"),
            ),
        ];
        for (text, part) in table {
            let address = parse(text).unwrap();
            assert_eq!(
                (address.organization.as_str(), address.part),
                ("contoso", Some(part)),
                "{text}"
            );
        }
    }

    #[test]
    fn sre_38_other_addresses_are_refused() {
        for text in [
            "http://dev.azure.com/contoso/Fiber/_git/api",
            "https://github.com/contoso/api",
            "https://dev.azure.com.evil.example/contoso/Fiber/_git/api",
            "https://evil.example/dev.azure.com/contoso",
            "https://visualstudio.com/Fiber/_git/api",
            "https://contoso.visualstudio.com.evil.example/Fiber/_git/api",
            "https://evilvisualstudio.com/Fiber/_git/api",
            "https://dev.azure.com@evil.example/contoso",
            "https://dev.azure.com:8443/contoso",
            "https://me:token@dev.azure.com/contoso",
            "https://169.254.169.254/contoso",
            "https://dev.azure.com/contoso/Fiber/_git",
            "https://dev.azure.com/contoso/Fiber/_git/",
            "https://dev.azure.com/contoso/Fiber/_wiki/wikis/",
            "https://dev.azure.com/contoso/Fiber/_wiki",
            "https://dev.azure.com/contoso/a%2F..%2Fb/_git/api",
            "https://dev.azure.com/contoso/Fiber/_git/%00",
            "https://dev.azure.com/contoso/Fiber/_git/%FF",
            "https://dev.azure.com/contoso/Fiber/_git/%20",
            "ssh://git@ssh.dev.azure.com/v3/contoso/Fiber/api",
            "file:///etc/passwd",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    fn name() -> impl Strategy<Value = String> {
        "[A-Za-z0-9.() äé€-]{1,20}"
            .prop_map(|name| name.trim().to_owned())
            .prop_filter("a name", |name| {
                !name.is_empty()
                    && !name.trim_matches('.').is_empty()
                    && !name.eq_ignore_ascii_case("DefaultCollection")
            })
    }

    proptest! {
        #[test]
        fn sre_35_every_name_survives_its_address(project in name(), name in name(), organization in "[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", old: bool, slash: bool, is_wiki: bool) {
            let base = if old { format!("https://{organization}.visualstudio.com") } else { format!("https://dev.azure.com/{organization}") };
            // Browsers encode as `segment` does, people often only the blanks.
            for encode in [|text: &str| segment(text), |text: &str| text.replace(' ', "%20")] {
                let middle = if is_wiki { "_wiki/wikis" } else { "_git" };
                let text = format!("{base}/{}/{middle}/{}{}", encode(&project), encode(&name), if slash { "/" } else { "" });
                let address = parse(&text).map_err(TestCaseError::fail)?;
                let part = if is_wiki { wiki(&project, &name) } else { repository(&project, &name) };
                prop_assert_eq!(&address.organization, &organization);
                prop_assert_eq!(address.part, Some(part));
            }
        }

        #[test]
        fn sre_38_no_text_makes_an_organization_that_does_not_fit(text in "(https?://)?[a-z.@:]{0,20}[/%A-Za-z0-9_. ]{0,40}") {
            if let Ok(address) = parse(&text) {
                prop_assert!(is_organization(&address.organization));
            }
        }
    }
}
