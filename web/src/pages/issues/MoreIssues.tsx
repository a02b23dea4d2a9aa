import { Button } from "@fluentui/react-components";
import { useTexts } from "../../texts";
import "./texts";

interface List {
  items: unknown[] | undefined;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** Says that groups are not whole yet, and reads on. */
export function MoreIssues({ list }: { list: List }) {
  const t = useTexts("issues");
  if (!list.hasNextPage) return null;
  return (
    <div role="status">
      {t("partial", { count: list.items?.length ?? 0 })}{" "}
      <Button disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
        {t("loadMore")}
      </Button>
    </div>
  );
}
