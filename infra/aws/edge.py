"""CloudFront: the live page, and the API behind the same name, with what many people read kept for a moment."""

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import Annotations, Duration, Stack
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from constructs import Construct

from infra.aws.accepted import accept
from infra.aws.api import Api
from infra.aws.config import Config
from infra.aws.page import EVERYWHERE, header_rules
from infra.aws.reading import BESIDE, id_patterns, kept_patterns
from infra.aws.storage import Storage

KEPT_AT_MOST = Duration.minutes(5)
"""An answer says itself how long it may be kept, a second or a few (`s-maxage`)."""
HSTS = cloudfront.ResponseHeadersStrictTransportSecurity(
    access_control_max_age=Duration.days(365), include_subdomains=False, override=True
)
CSP, CORS = "Content-Security-Policy", "Access-Control-Allow-Origin"
PAGE = "page"

ENCODE_TWICE = """\
// API Gateway decodes a path before it looks for its route, so that the id a%2Fb would become two parts of it, and
// what follows %3F would be lost. Encoded once more, the path arrives as it was sent.
function handler(event) {
  var request = event.request;
  request.uri = request.uri.replace(/%/g, '%25');
  return request;
}
"""


class Edge(Construct):
    """The distribution. Who may read what, the functions behind it decide; the credential is part of what is kept."""

    def __init__(
        self, scope: Construct, config: Config, storage: Storage, api: Api, functions: Sequence[Mapping[str, Any]]
    ) -> None:
        super().__init__(scope, "Edge")
        self._api_origin = origins.HttpOrigin(
            api.domain,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
        )
        levels = [cloudfront.AccessLevel.READ, cloudfront.AccessLevel.LIST]  # with LIST, what is not there is a 404
        self._page_origin = origins.S3BucketOrigin.with_origin_access_control(
            storage.page, origin_access_levels=levels
        )
        self._kept = self._cache_policy(config)
        self._api_headers = self._headers(config, "api", {})
        self._encode_twice = cloudfront.Function(
            self,
            "EncodeTwice",
            comment="Keeps an id with odd characters in one piece through API Gateway",
            code=cloudfront.FunctionCode.from_inline(ENCODE_TWICE),
            runtime=cloudfront.FunctionRuntime.JS_2_0,
        )
        self.distribution = self._distribution(config, functions)

    def _distribution(self, config: Config, functions: Sequence[Mapping[str, Any]]) -> cloudfront.Distribution:
        rules = header_rules()
        policies = {
            address: self._headers(config, address.strip("/*").replace(".", "-") or PAGE, told)
            for address, told in rules.items()
        }
        distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"{config.name}: the live page and its API",
            default_root_object="index.html",
            default_behavior=self._page(policies[EVERYWHERE]),
            additional_behaviors={
                **self._api_behaviors(functions),
                **{address: self._page(policy) for address, policy in policies.items() if address != EVERYWHERE},
            },
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            minimum_protocol_version=(
                cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021 if config.certificate else None
            ),
            web_acl_id=config.web_acl,
            domain_names=[config.domain] if config.domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", config.certificate)
                if config.certificate
                else None
            ),
        )
        _accept(distribution, config)
        return distribution

    def _api_behaviors(self, functions: Sequence[Mapping[str, Any]]) -> dict[str, cloudfront.BehaviorOptions]:
        """In the order in which CloudFront looks at them: what may be kept, ids, everything else."""
        routes = [route for function in functions for route in function["trigger"].get("routes", ())]
        kept = kept_patterns(routes)
        behaviors = {pattern: self._api(pattern, self._kept) for pattern in kept}
        for pattern in (*id_patterns(routes), "/v1/*", *BESIDE):
            behaviors[pattern] = self._api(pattern, cloudfront.CachePolicy.CACHING_DISABLED)
        return behaviors

    def _api(self, pattern: str, policy: cloudfront.ICachePolicy) -> cloudfront.BehaviorOptions:
        holds_id = "*" in pattern and pattern != "/v1/*"
        encode_twice = cloudfront.FunctionAssociation(
            function=self._encode_twice, event_type=cloudfront.FunctionEventType.VIEWER_REQUEST
        )
        return cloudfront.BehaviorOptions(
            origin=self._api_origin,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=policy,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=self._api_headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.HTTPS_ONLY,
            function_associations=[encode_twice] if holds_id else None,
        )

    def _page(self, headers: cloudfront.ResponseHeadersPolicy) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=self._page_origin,
            cache_policy=cloudfront.CachePolicy.CACHING_OPTIMIZED,
            response_headers_policy=headers,
            viewer_protocol_policy=cloudfront.ViewerProtocolPolicy.REDIRECT_TO_HTTPS,
        )

    def _cache_policy(self, config: Config) -> cloudfront.CachePolicy:
        return cloudfront.CachePolicy(
            self,
            "Kept",
            cache_policy_name=f"{config.name}-public-reads",
            comment="As long as the answer says, for each address and credential",
            min_ttl=Duration.seconds(0),
            default_ttl=Duration.seconds(0),
            max_ttl=KEPT_AT_MOST,
            header_behavior=cloudfront.CacheHeaderBehavior.allow_list("Authorization"),
            query_string_behavior=cloudfront.CacheQueryStringBehavior.all(),
            cookie_behavior=cloudfront.CacheCookieBehavior.none(),
            enable_accept_encoding_gzip=True,
            enable_accept_encoding_brotli=True,
        )

    def _headers(self, config: Config, name: str, told: Mapping[str, str]) -> cloudfront.ResponseHeadersPolicy:
        """What `web/security-headers.json` says of an address; CloudFront has places of its own for some headers."""
        rest = {header: value for header, value in told.items() if header not in OWN_PLACES}
        return cloudfront.ResponseHeadersPolicy(
            self,
            f"Headers-{name}",
            response_headers_policy_name=f"{config.name}-{name}",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                strict_transport_security=HSTS,
                content_type_options=(
                    cloudfront.ResponseHeadersContentTypeOptions(override=True)
                    if "X-Content-Type-Options" in told
                    else None
                ),
                content_security_policy=(
                    cloudfront.ResponseHeadersContentSecurityPolicy(content_security_policy=told[CSP], override=True)
                    if CSP in told
                    else None
                ),
                referrer_policy=(
                    cloudfront.ResponseHeadersReferrerPolicy(
                        referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                    )
                    if told.get("Referrer-Policy") == "no-referrer"
                    else None
                ),
            ),
            cors_behavior=_for_any_origin() if told.get(CORS) == "*" else None,
            custom_headers_behavior=_custom(rest) if rest else None,
        )


OWN_PLACES = frozenset({CSP, CORS, "Referrer-Policy", "X-Content-Type-Options"})


def _for_any_origin() -> cloudfront.ResponseHeadersCorsBehavior:
    return cloudfront.ResponseHeadersCorsBehavior(
        access_control_allow_credentials=False,
        access_control_allow_headers=["*"],
        access_control_allow_methods=["GET", "HEAD"],
        access_control_allow_origins=["*"],
        origin_override=True,
    )


def _custom(headers: Mapping[str, str]) -> cloudfront.ResponseCustomHeadersBehavior:
    return cloudfront.ResponseCustomHeadersBehavior(
        custom_headers=[
            cloudfront.ResponseCustomHeader(header=header, value=value, override=True)
            for header, value in headers.items()
        ]
    )


def _accept(distribution: cloudfront.Distribution, config: Config) -> None:
    Annotations.of(distribution).acknowledge_warning(
        "@aws-cdk/aws-cloudfront-origins:listBucketSecurityRisk", "The root is index.html, so nobody gets a list."
    )
    Annotations.of(Stack.of(distribution)).acknowledge_warning(
        "@aws-cdk/aws-cloudfront-origins:wildcardKeyPolicyForOac",
        "The key may be used for the page's bucket, which holds what is public, by distributions of this account.",
    )
    accept(distribution, "An audience may be anywhere; who may read is decided by keys.", "CFR1")
    accept(
        distribution,
        "Its log would hold every viewer's address. How many asked, and what failed, its metrics and the API's own "
        "access log tell without one.",
        "CFR3",
    )
    if not config.web_acl:
        accept(distribution, "A web ACL costs by request and is the operator's choice: -c web_acl=ARN.", "CFR2")
    if not config.certificate:
        accept(
            distribution,
            "Without a domain of one's own CloudFront's certificate serves, whose protocols AWS sets.",
            "CFR4",
        )
