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
import { focusPage } from "./components/focus";
import { Page } from "./components/Page";
import { Failed, Loading } from "./components/State";
import { TextLink } from "./components/TextLink";
import { arriving, PageFailed } from "./shell/PageFailed";
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
  return (
    <Page title={t("state.gone")} about={t("state.goneHint")}>
      <TextLink to="/">{t("state.toOverview")}</TextLink>
    </Page>
  );
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
    // Pages read from the address what they know; whatever else stands there stays.
    validateSearch: (search: Record<string, unknown>): Record<string, unknown> => search,
    component: lazyRouteComponent(() => arriving(load), name),
    pendingComponent: Loading,
    errorComponent: PageFailed,
  });
}

const pages = [
  page("/", () => import("./pages/overview/Overview"), "Overview"),
  page("/connectors", () => import("./pages/connectors/Connectors"), "Connectors"),
  page("/connectors/$name", () => import("./pages/connectors/Connector"), "ConnectorPage"),
  page("/connectors/$name/sign-in", () => import("./pages/connectors/SignInAgain"), "SignInAgain"),
  page("/connect", () => import("./pages/connect/AddConnector"), "AddConnector"),
  page("/connect/$kind", () => import("./pages/connect/Wizard"), "Wizard"),
  page("/connect/$kind/advanced", () => import("./pages/connect/Advanced"), "Advanced"),
  page("/apps", () => import("./pages/apps/Apps"), "Apps"),
  page("/new/app", () => import("./pages/apps/NewApp"), "NewApp"),
  page("/permissions", () => import("./pages/apps/Permissions"), "Permissions"),
  page("/apps/$name", () => import("./pages/apps/AppProfile"), "AppProfile"),
  page("/runs", () => import("./pages/runs/Runs"), "Runs"),
  page("/runs/$id", () => import("./pages/runs/Run"), "Run"),
  page("/issues", () => import("./pages/issues/Issues"), "Issues"),
  page("/repositories", () => import("./pages/repositories/Repositories"), "Repositories"),
  page("/repositories/$name", () => import("./pages/repositories/Repository"), "RepositoryPage"),
  page("/vault", () => import("./pages/vault/Vault"), "Vault"),
  page("/vault/$name", () => import("./pages/vault/CredentialPage"), "CredentialPage"),
  page("/policies", () => import("./pages/policies/Policies"), "Policies"),
  page("/new/policy", () => import("./pages/policies/NewPolicy"), "NewPolicy"),
  page("/policies/$name", () => import("./pages/policies/Policy"), "Policy"),
  page("/snapshots", () => import("./pages/snapshots/Sources"), "Sources"),
  page("/snapshots/compare", () => import("./pages/snapshots/Compare"), "Compare"),
  page("/snapshots/source/$service/$source", () => import("./pages/snapshots/Source"), "Source"),
  page("/snapshots/$id", () => import("./pages/browse/SnapshotPage"), "SnapshotPage"),
  page("/snapshots/$id/item/$kind/$item", () => import("./pages/browse/ItemPage"), "ItemPage"),
  page("/people", () => import("./pages/people/People"), "People"),
  page("/people/$name", () => import("./pages/people/PersonPage"), "PersonPage"),
  page("/alarms", () => import("./pages/alarms/Alarms"), "Alarms"),
  page("/tokens", () => import("./pages/tokens/Tokens"), "Tokens"),
  page("/workers", () => import("./pages/workers/Workers"), "Workers"),
  page("/search", () => import("./pages/search/Search"), "Search"),
  page("/restore", () => import("./pages/restore/Plans"), "Plans"),
  page("/restore/new", () => import("./pages/restore/New"), "New"),
  page("/restore/$id", () => import("./pages/restore/PlanPage"), "PlanPage"),
  page("/notifications", () => import("./pages/notifications/Notifications"), "Notifications"),
  page("/approvals", () => import("./pages/approvals/Approvals"), "Approvals"),
  page("/approvals/$id", () => import("./pages/approvals/ProposalPage"), "ProposalPage"),
  page("/audit", () => import("./pages/audit/Audit"), "Audit"),
  page("/settings", () => import("./pages/settings/Settings"), "Settings"),
  page("/account", () => import("./pages/account/Account"), "Account"),
];

/** Whatever no page has as its address: told where the ways to all of them are. */
const nowhere = createRoute({ getParentRoute: () => inside, path: "$", component: NotFound });

export const router = createRouter({
  routeTree: root.addChildren([signIn, setup, inside.addChildren([...pages, nowhere])]),
  defaultPreload: "intent",
  defaultNotFoundComponent: NotFound,
  scrollRestoration: true,
});

router.subscribe("onRendered", ({ pathChanged, fromLocation }) => {
  if (fromLocation && pathChanged) focusPage();
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
