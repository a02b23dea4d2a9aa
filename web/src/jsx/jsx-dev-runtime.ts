import { jsxDEV as one } from "react/jsx-dev-runtime";
import { legible } from "./legible";

export { Fragment } from "react/jsx-dev-runtime";
export type { JSX } from "react";

// As in `jsx-runtime.ts`, for `npm run dev`.
export const jsxDEV: typeof one = (type, props, ...rest) => one(type, legible(type, props), ...rest);
