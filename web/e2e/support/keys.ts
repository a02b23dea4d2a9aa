import type { Locator, Page } from "playwright-core";

/** More than any page has places for the keyboard. */
const MOST = 300;

/** Goes to something by the tabulator, as somebody without a mouse does. */
export async function tabTo(page: Page, target: Locator, backwards = false) {
  await target.first().waitFor();
  for (let steps = 0; steps < MOST; steps += 1) {
    if (await target.first().evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(backwards ? "Shift+Tab" : "Tab");
  }
  throw new Error(`the keyboard does not reach ${target}`);
}

export async function press(page: Page, target: Locator, key = "Enter") {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Waits until something has the focus. */
export async function hasFocus(page: Page, target: Locator) {
  await target.and(page.locator(":focus")).waitFor({ timeout: 5_000 });
}

/** Whether what has the focus can be told from the rest by eye: an outline, a shadow or a line that it has only now. */
export async function focusIsSeen(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const look = (element: Element) =>
      [undefined, "::before", "::after"].map((pseudo) => {
        const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, content, transform } = getComputedStyle(element, pseudo);
        return [outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, content, transform].join();
      });
    const element = document.activeElement as HTMLElement;
    const around = [element, ...[element.parentElement].filter((one) => one !== null)];
    const focused = around.flatMap(look);
    element.blur();
    const plain = around.flatMap(look);
    element.focus();
    return focused.some((one, index) => one !== plain[index]);
  });
}
