"""The web application: from a table of routes to aiohttp's, with what holds for every request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from aiohttp.typedefs import Middleware

from supervisor.control.access import Token
from supervisor.control.api import Access, Api, Call
from supervisor.control.errors import NoSuchMethod, NoSuchPath
from supervisor.control.parameters import parse_query
from supervisor.control.problems import response_of
from supervisor.control.route import Route
from supervisor.errors import IsolatedError
from supervisor.printable import printable

type Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(api: Api, routes: Iterable[Route], access: Access, token: Token | None = None) -> web.Application:
    """The routes that can be reached by `access`; with a `token`, nothing without it."""
    app = web.Application(middlewares=[_outermost(token)])
    for route in routes:
        if access in route.access:
            app.router.add_route(route.method, route.path, _endpoint(api, route, access), name=route.name)
    return app


def _endpoint(api: Api, route: Route, access: Access) -> Next:
    async def answer(request: web.Request) -> web.StreamResponse:
        values = parse_query(route.parameters, request.query)
        for parameter in route.parameters:
            if parameter.where == "path":
                values[parameter.name] = parameter.parse([request.match_info[parameter.name]])
            elif parameter.where == "header":
                values[parameter.name] = parameter.parse(request.headers.getall(parameter.name, []))
        return await route.handler(Call(api, request, access, values))

    return answer


def _outermost(token: Token | None) -> Middleware:
    @web.middleware
    async def guard(request: web.Request, handler: Next) -> web.StreamResponse:
        try:
            if token is not None:
                token.check(request.headers.getall("Authorization", []))
            return await handler(request)
        except web.HTTPMethodNotAllowed as error:
            return response_of(NoSuchMethod(error.allowed_methods))
        except web.HTTPException:  # what else the router has to say
            return response_of(NoSuchPath("there is no such path", "GET /v1/openapi.json lists all of them"))
        except IsolatedError as error:
            return response_of(error)
        except ConnectionError:
            raise  # the client has gone
        except Exception as error:
            logging.getLogger(__name__).exception("%s %s failed", request.method, printable(request.path))
            return response_of(error)

    return guard
