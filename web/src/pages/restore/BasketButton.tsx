import { Button, CounterBadge, makeStyles } from "@fluentui/react-components";
import { CartRegular } from "@fluentui/react-icons";
import { useNavigate } from "@tanstack/react-router";
import { useTexts } from "../../texts";
import { countOf } from "./basket";
import { useBaskets } from "./useBasket";

// Beside an icon a button of the usual width is more than a telephone has room for.
const useStyles = makeStyles({ button: { minWidth: 0 } });

/** How much lies in the basket, and the way to restore it. Nothing while it is empty. */
export function BasketButton() {
  const styles = useStyles();
  const t = useTexts();
  const navigate = useNavigate();
  const count = countOf(useBaskets());
  if (count === 0) return null;
  const label = t("basket", { count });
  return (
    <Button
      className={styles.button}
      appearance="subtle"
      icon={<CartRegular />}
      aria-label={label}
      title={label}
      onClick={() => void navigate({ to: "/restore/new" })}
    >
      <CounterBadge count={count} size="small" color="brand" />
    </Button>
  );
}
