"""Django's cache and sessions with slotway as the only location: Django's own backend and django-redis.

usage: python_django.py PORT PREFIX
"""

import sys

import django
from django.conf import settings

port, prefix = sys.argv[1], sys.argv[2].replace(":", "-")
location = f"redis://127.0.0.1:{port}/0"
settings.configure(
    CACHES={
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": location, "KEY_PREFIX": prefix},
        "django_redis": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": location, "KEY_PREFIX": prefix + "-dr"},
    },
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    SECRET_KEY="only a test",
    USE_TZ=True,
)
django.setup()

from django.contrib.sessions.backends.cache import SessionStore  # noqa: E402
from django.core.cache import caches  # noqa: E402

for name in ("default", "django_redis"):
    cache = caches[name]
    cache.set("a", {"deep": [1, "two", None]}, 100)
    assert cache.get("a") == {"deep": [1, "two", None]}
    assert cache.get("none", "other") == "other"
    cache.delete(f"b:{name}")
    assert not cache.add("a", 1) and cache.add(f"b:{name}", 1, 100)
    assert cache.incr(f"b:{name}", 4) == 5 and cache.touch(f"b:{name}", 50)
    many = {f"m{number}": number for number in range(50)}
    for key, value in many.items():
        cache.set(key, value, 100)
    assert cache.get_many(many) == many
    assert "m1" in cache and cache.get_or_set("c", lambda: 7, 100) == 7
    cache.delete_many(many)
    assert cache.get_many(many) == {} and cache.delete(f"b:{name}") and cache.delete("c")

# set_many is a transaction in both, so its keys must be of one slot.
for name in ("default", "django_redis"):
    caches.settings["tagged"] = caches.settings[name] | {"KEY_PREFIX": "{%s-%s}" % (prefix, name)}
    tagged = caches.create_connection("tagged")
    many = {f"m{number}": number for number in range(50)}
    assert not tagged.set_many(many, 100) and tagged.get_many(many) == many
    tagged.delete_many(many)

other = caches["django_redis"]
assert other.ttl("a") > 0 and set(other.iter_keys("a*")) == {"a"} and set(other.keys("a")) == {"a"}
with other.lock("lock", timeout=20):
    pass
assert other.delete_pattern("a*") == 1

session = SessionStore()
session["name"] = "tom"
session.save()
again = SessionStore(session_key=session.session_key)
assert again["name"] == "tom"
again.flush()
assert not SessionStore(session_key=session.session_key).keys()
print("ok")
