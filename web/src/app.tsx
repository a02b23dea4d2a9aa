import { createDOMRenderer, FluentProvider, RendererProvider, Toaster } from "@fluentui/react-components";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { queries } from "./api/queries";
import { TOASTER } from "./components/toast";
import { router } from "./routes";
import { useTheme } from "./shell/theme";
import "./texts";

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
          <Toaster toasterId={TOASTER} position="bottom-end" />
        </QueryClientProvider>
      </FluentProvider>
    </RendererProvider>
  );
}
