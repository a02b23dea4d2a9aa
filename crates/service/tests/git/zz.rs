use service::git::{closure, index, Packs};
#[tokio::test]
async fn bench() {
    let folder = std::path::Path::new("/tmp/bench/out");
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).unwrap();
    std::fs::copy("/tmp/bench/in.pack", folder.join("in")).unwrap();
    let cpu = || std::fs::read_to_string("/proc/self/stat").unwrap().split(' ').skip(13).take(2).map(|x| x.parse::<u64>().unwrap()).sum::<u64>();
    let a = cpu();
    let i = index(&folder.join("in"), folder).await.unwrap();
    let b = cpu();
    let c = closure(Some(&i), &Packs::default(), &Default::default()).await.unwrap();
    let d = cpu();
    println!("objects {} index {} closure {} (1/100 s) missing {}", i.objects, b - a, d - b, c.missing.len());
    println!("{}", std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
