import { makeStyles, Tab, TabList, tokens } from "@fluentui/react-components";
import { useId, type ReactNode } from "react";
import { useShown } from "./search";

const useStyles = makeStyles({
  list: { flexWrap: "wrap" },
  panel: { display: "flex", flexDirection: "column", gap: tokens.spacingVerticalXL },
});

interface Props {
  label: string;
  tabs: Entry[];
  /** What else is in the address of one of them alone. */
  own?: readonly string[];
}

interface Entry {
  key: string;
  title: string;
  content: () => ReactNode;
}

/** Parts of a page of which one is shown; which, is in the address. The first is shown without it. */
export function Tabs({ label, tabs, own = [] }: Props) {
  const styles = useStyles();
  const id = useId();
  const [{ tab }, show] = useShown();
  const shown = tabs.find(({ key }) => key === tab) ?? tabs[0];
  if (shown === undefined) return null;
  return (
    <>
      <TabList
        className={styles.list}
        aria-label={label}
        selectedValue={shown.key}
        onTabSelect={(_, { value }) =>
          show({ ...Object.fromEntries(own.map((name) => [name, undefined])), tab: value === tabs[0]?.key ? undefined : String(value) })
        }
      >
        {tabs.map(({ key, title }) => (
          <Tab key={key} value={key} id={`${id}-${key}`} aria-controls={key === shown.key ? `${id}-panel` : undefined}>
            {title}
          </Tab>
        ))}
      </TabList>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${shown.key}`} className={styles.panel}>
        {shown.content()}
      </div>
    </>
  );
}
