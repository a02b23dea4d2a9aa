import { useAll } from "./all";
import { FilterSelect } from "./FilterSelect";
import { useShown } from "./search";

/** Narrows a list to one connector, which the address names: `?connector=contoso`. */
export function ConnectorFilter({ label }: { label: string }) {
  const [{ connector }, show] = useShown();
  const connectors = useAll("/connectors", {}).items ?? [];
  return (
    <FilterSelect
      label={label}
      value={connector}
      options={connectors.map(({ name }) => ({ value: name, title: name }))}
      onChange={(value) => show({ connector: value })}
    />
  );
}
