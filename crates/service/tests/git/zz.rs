use crate::backup::Backup;
use crate::host::{Host, Manner, PAT};
fn cpu(n: usize) -> u64 { std::fs::read_to_string("/proc/self/stat").unwrap().split(' ').skip(n).take(2).map(|x| x.parse::<u64>().unwrap()).sum::<u64>() }
#[tokio::test]
async fn bench() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    assert!(std::process::Command::new("sh").arg("-c").arg(format!("rm -rf {0}; ln -s /tmp/bench/src.git {0}", bare.path.display())).status().unwrap().success());
    let mut backup = Backup::of(&host.client, host.remote("repo"));
    let a = cpu(13);
    backup.clean().await;
    let b = cpu(13);
    for _ in 0..20 { backup.clean().await; }
    let c = cpu(13);
    println!("initial {} unchanged x20 {} (1/100 s)", b - a, c - b);
    use base64::Engine as _;
    let h = format!("http.extraHeader=Authorization: Basic {}", base64::engine::general_purpose::STANDARD.encode(format!(":{PAT}")));
    for _ in 0..2 {
    let url = format!("{}/org/project/_git/repo", host.origin);
    let sh = format!("cd /tmp/bench; rm -rf cl.git; git -c '{h}' clone -q --mirror {url} cl.git; ");
    let o = tokio::process::Command::new("bash").arg("-c").arg(format!("time ({sh}); time (for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do git -C cl.git -c '{h}' fetch -q; done)")).output().await.unwrap();
    println!("{}", String::from_utf8_lossy(&o.stderr));
    }
}
#[tokio::test]
async fn serve() {
    let host = Host::start(Manner::AzureDevOps).await;
    let bare = host.repository("repo");
    assert!(std::process::Command::new("sh").arg("-c").arg(format!("rm -rf {0}; ln -s /tmp/bench/src.git {0}", bare.path.display())).status().unwrap().success());
    std::fs::write("/tmp/bench/origin", &host.origin).unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(25)).await;
}
#[tokio::test]
async fn quiet() {
    let client = crate::host::client(&std::fs::read_to_string("/tmp/bench/origin").unwrap());
    let mut backup = Backup::of(&client, service::git::Remote::new(&client, "dev", "/project/_git/_full/repo"));
    let a = cpu(13);
    backup.clean().await;
    let b = cpu(13);
    for _ in 0..200 { backup.clean().await; }
    let c = cpu(13);
    println!("initial {} unchanged x200 {} (1/100 s)", b - a, c - b);
}
