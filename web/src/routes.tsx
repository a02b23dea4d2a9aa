import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { client } from "./api/client";
import { Problem } from "./api/problem";
import { queries } from "./api/queries";
import { Empty, Failed, Loading } from "./components/State";
import { meQuery } from "./shell/session";
import { Shell } from "./shell/Shell";
import { useTexts } from "./texts";

const root = createRootRoute({
  component: Outlet,
  errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  notFoundComponent: NotFound,
});

function NotFound() {
  const t = useTexts();
  return <Empty title={t("state.gone")}>{t("state.goneHint")}</Empty>;
}

/** Pages that need nobody signed in. */
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Record<string, unknown>): { to?: string; error?: string; expired?: boolean } => ({
    ...(typeof search["to"] === "string" && { to: search["to"] }),
    ...(typeof search["error"] === "string" && { error: search["error"] }),
    ...(search["expired"] === true && { expired: true }),
  }),
  component: lazyRouteComponent(() => import("./pages/sign-in/SignIn"), "SignIn"),
});

const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/setup/SetUp"), "SetUp"),
});

/** Everything else: sends people to the sign-in, and to the set-up on a new server. */
const inside = createRoute({
  getParentRoute: () => root,
  id: "inside",
  component: Shell,
  pendingComponent: Loading,
  beforeLoad: async ({ location }) => {
    try {
      await queries.ensureQueryData(meQuery);
    } catch (error) {
      if (Problem.from(error).status !== 401) throw error;
      const { data } = await client.GET("/setup");
      if (data?.needed) throw redirect({ to: "/setup" });
      throw redirect({ to: "/sign-in", search: { to: location.href } });
    }
  },
});

type Module = Record<string, () => React.ReactNode>;

/** A page under the shell, loaded when it is first opened. */
function page<Path extends string>(path: Path, load: () => Promise<Module>, name: string) {
  return createRoute({
    getParentRoute: () => inside,
    path,
    component: lazyRouteComponent(load, name),
    pendingComponent: Loading,
    errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  });
}

const pages = [
  page("/", () => import("./pages/overview/Overview"), "Overview"),
  page("/runs", () => import("./pages/runs/Runs"), "Runs"),
  page("/runs/$id", () => import("./pages/runs/Run"), "Run"),
  page("/issues", () => import("./pages/issues/Issues"), "Issues"),
  page("/repositories", () => import("./pages/repositories/Repositories"), "Repositories"),
  page("/repositories/$name", () => import("./pages/repositories/Repository"), "RepositoryPage"),
  page("/account", () => import("./pages/account/Account"), "Account"),
];

export const router = createRouter({
  routeTree: root.addChildren([signIn, setup, inside.addChildren(pages)]),
  defaultPreload: "intent",
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
