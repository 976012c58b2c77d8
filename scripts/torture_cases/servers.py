"""Sources on a server that fails."""
import signal
import time

from .server import Server
from .workshop import caused

# Short waits, so that many failures take seconds.
QUICK = {"GDAL_HTTP_RETRY_DELAY": "0.02", "GDAL_HTTP_LOW_SPEED_TIME": "1", "GDAL_HTTP_LOW_SPEED_LIMIT": "10",
         "GDAL_HTTP_CONNECTTIMEOUT": "2"}
WAYS = ["500", "502", "503", "429", "drop", "short", "wrong range"]


def serve(shop):
    """A server with two sources; the words of a job on them, and its undisturbed bytes."""
    for number in range(2):
        shop.raster(f"in{number}.tif", 500, 2, "UInt16", (number * 400, 0), values=3000)
    server = Server(shop.folder)
    words = [f"{server.address}/in{number}.tif" for number in range(2)]
    words += ["--progress", "none", "--block", "128", "--chunk", "256"]
    shop.done(*words, "-o", "wanted.tif", environment=QUICK)
    return server, words, shop.path("wanted.tif").read_bytes()


@caused(14, 140)
def servers_that_recover(shop, times):
    """A server fails now and then, each time in another way: tried again, and the undisturbed run's bytes."""
    server, words, wanted = serve(shop)
    for number in range(times):
        way, first, rate = WAYS[number % len(WAYS)], shop.random.randrange(1, 12), shop.random.choice([0, 20, 8])
        server.asked.clear()
        server.behave = lambda n, w=way, f=first, r=rate: w if n in (f, f + 1) or r and n % r == 3 else "fine"
        outcome = shop.run(*words, "-o", "out.tif", environment=QUICK)
        check(shop, f"{way} at {first}, 1 of {rate}", outcome, wanted)
    server.close()


@caused(1, 4)
def servers_that_stall(shop, times):
    """A server that answers nothing for long: given up, tried again, and the undisturbed run's bytes."""
    server, words, wanted = serve(shop)
    for _ in range(times):
        first = shop.random.randrange(1, 12)
        server.asked.clear()
        server.behave = lambda n, f=first: "stall" if n == f else "fine"
        check(shop, f"stall at {first}", shop.run(*words, "-o", "out.tif", environment=QUICK), wanted)
    server.close()


def check(shop, what, outcome, wanted):
    output = shop.path("out.tif")
    if outcome.code == 0 and output.read_bytes() == wanted:
        shop.count("right pixels")
    elif outcome.code == 0:
        shop.fault(f"{what}: other pixels are told as success")
    elif outcome.code in (1, 3) and "127.0.0.1" in outcome.told and not output.exists():
        # A few failures in a row are more than it need bear.
        shop.count("given up, told")
    else:
        shop.fault(f"{what}: code {outcome.code}: {outcome.told[-300:]}")
    output.unlink(missing_ok=True)
    for left in shop.hidden():
        shop.path(left).unlink()


@caused(7, 40)
def servers_that_do_not_recover(shop, times):
    """A server that fails for good: the error names source, status and attempts; skipped, it is listed."""
    server, words, _ = serve(shop)
    ways = ["500", "503", "429", "403", "404", "drop", "short"]
    for number in range(times):
        way, first = ways[number % len(ways)], shop.random.choice([1, 1, 2, 5, 9])
        server.asked.clear()
        server.behave = lambda n, w=way, f=first: w if n >= f else "fine"
        outcome = shop.run(*words, "-o", "out.tif", "--retries", 2, environment=QUICK)
        told, asked = outcome.told, len(server.asked)
        named = "in0.tif" in told or "in1.tif" in told
        status = not way.isdigit() or way in told
        again = "attempts" in told or way in ("403", "404")
        if outcome.code != 1 or not named or not status or not again:
            shop.fault(f"{way} from {first}: code {outcome.code}: {told[-400:]}")
        elif way in ("403", "404") and first == 1 and asked > 20:
            shop.fault(f"{way}: asked {asked} times")
        else:
            shop.count("told with its status" if way.isdigit() else "told")
        for left in shop.hidden():
            shop.path(left).unlink()
    server.behave = lambda n: "503"
    shop.raster("here.tif", 200, 2, "UInt16")
    outcome = shop.run(words[0], "here.tif", "-o", "out.tif", "--on-error", "skip", "--retries", 1, environment=QUICK)
    if outcome.code == 0 and "left out" in outcome.told and "in0.tif" in outcome.told and "503" in outcome.told:
        shop.count("skipped and listed")
    else:
        shop.fault(f"--on-error skip: code {outcome.code}: {outcome.told[-300:]}")
    server.close()


@caused(2, 10)
def stops_while_waiting(shop, times):
    """A signal while a failing server is waited for: the end within two seconds."""
    server, words, _ = serve(shop)
    for number in range(times):
        first = shop.random.choice([1, 4, 9])
        server.behave = lambda n, f=first: "503" if n >= f else "fine"
        server.asked.clear()
        child = shop.start(*words, "-o", "out.tif", environment=QUICK | {"GDAL_HTTP_RETRY_DELAY": "30"})
        deadline = time.monotonic() + 10
        while len(server.asked) < first and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        child.send_signal((signal.SIGINT, signal.SIGTERM)[number % 2])
        outcome = shop.end(child)
        if outcome.code != 130 or outcome.seconds > 2.5 or shop.path("out.tif").exists():
            shop.fault(f"code {outcome.code} after {outcome.seconds:.1f} s: {outcome.told[-300:]}")
        else:
            shop.count("ended within two seconds")
        for left in shop.hidden():
            shop.path(left).unlink()
    server.close()


CASES = [servers_that_recover, servers_that_stall, servers_that_do_not_recover, stops_while_waiting]
