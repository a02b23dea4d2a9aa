import { createDOMRenderer, FluentProvider, RendererProvider } from "@fluentui/react-components";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { queries } from "./api/queries";
import { router } from "./routes";
import { useTheme } from "./shell/theme";
import "./texts";

// Nothing is said in the first moment: the page is there before, and what is said waits.
const Toasts = lazy(() => import("./components/Toasts"));

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content;
// The page's policy lets only styles with its nonce in.
const renderer = createDOMRenderer(document, nonce ? { styleElementAttributes: { nonce } } : {});

export function App() {
  const { theme } = useTheme();
  return (
    <RendererProvider renderer={renderer}>
      <FluentProvider theme={theme}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
          <Suspense>
            <Toasts />
          </Suspense>
        </QueryClientProvider>
      </FluentProvider>
    </RendererProvider>
  );
}
