import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Problem } from "./api/problem";
import { App } from "./app";
import { keepFocus } from "./components/focus";

const root = document.getElementById("root");
if (root) {
  // Why a page could not be read stands on the page; everything else that is caught is a defect.
  const onCaughtError = (error: unknown) => error instanceof Problem || reportError(error);
  keepFocus();
  createRoot(root, { onCaughtError }).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
