//! Many histories, and the smallest one that shows a failure.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::asked::asked;
use crate::history::{Mode, Step, history};
use crate::machine::{Counts, play};

/// How often a history is played again before its failure counts as gone.
const ATTEMPTS: usize = 8;
/// So many histories end before restic, which takes as long as two of them.
const JUDGED: u64 = 6;

/// Whether the environment says what to play.
pub(crate) fn is_asked() -> bool {
    asked("SEED").or_else(|| asked("SEEDS")).is_some()
}

/// Plays `count` histories (or those that the environment asks for) on all processors; panics with the first failure, as small as it gets.
pub(crate) fn run(mode: Mode, count: u64) -> Counts {
    let (first, count) = match asked("SEED") {
        Some(seed) => (seed, 1),
        None => (0, asked("SEEDS").unwrap_or(count)),
    };
    let next = AtomicU64::new(first);
    let total = Mutex::new(Counts::new());
    let failed: Mutex<Option<(u64, String)>> = Mutex::new(None);
    // Whoever waits for a lock sleeps.
    let threads = 2 * std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || failed.lock().unwrap().is_some() {
                        return;
                    }
                    match attempt(&history(seed, mode), mode, seed < JUDGED) {
                        Ok(counts) => {
                            let mut total = total.lock().unwrap();
                            for (event, count) in counts {
                                *total.entry(event).or_default() += count;
                            }
                        }
                        Err(error) => {
                            failed.lock().unwrap().get_or_insert((seed, error));
                        }
                    }
                }
            });
        }
    });
    if let Some((seed, error)) = failed.into_inner().unwrap() {
        let hook = std::panic::take_hook();
        // Hundreds of attempts fail alike.
        std::panic::set_hook(Box::new(|_| ()));
        let told = told(seed, mode, &error);
        std::panic::set_hook(hook);
        panic!("{told}");
    }
    total.into_inner().unwrap()
}

fn attempt(steps: &[Step], mode: Mode, judged: bool) -> Result<Counts, String> {
    catch_unwind(AssertUnwindSafe(|| play(steps, mode, judged))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_else(|| "a panic without words".to_owned()))
    })
}

fn fails(steps: &[Step], mode: Mode) -> Option<String> {
    (0..ATTEMPTS).find_map(|_| attempt(steps, mode, false).err())
}

/// Leaves out what the failure does not need: first everything behind, then single steps.
fn shrink(mut steps: Vec<Step>, mode: Mode, mut error: String) -> (Vec<Step>, String) {
    for length in 1..steps.len() {
        if let Some(found) = fails(&steps[..length], mode) {
            steps.truncate(length);
            error = found;
            break;
        }
    }
    let mut place = steps.len();
    while place > 0 {
        place -= 1;
        let mut fewer = steps.clone();
        fewer.remove(place);
        if let Some(found) = fails(&fewer, mode) {
            steps = fewer;
            error = found;
        }
    }
    (steps, error)
}

fn told(seed: u64, mode: Mode, error: &str) -> String {
    let (steps, smallest) = shrink(history(seed, mode), mode, error.to_owned());
    let steps: Vec<String> = steps
        .iter()
        .enumerate()
        .map(|(number, step)| format!("  {number} {step:?}"))
        .collect();
    format!(
        "seed {seed} ({mode:?}): {error}\nsmallest history that shows it: {smallest}\n{}\nagain: SEED={seed} cargo nextest run -p engine --test simulation",
        steps.join("\n")
    )
}
