import { jsx as one, jsxs as many } from "react/jsx-runtime";
import { legible } from "./legible";

export { Fragment } from "react/jsx-runtime";
export type { JSX } from "react";

// What `<Page title="…">` is compiled to.
export const jsx: typeof one = (type, props, key) => one(type, legible(type, props), key);
export const jsxs: typeof many = (type, props, key) => many(type, legible(type, props), key);
